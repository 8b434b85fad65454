package dev.attune.bench.report;

import dev.attune.examples.report.ChartStyle;
import dev.attune.examples.report.PointLabels;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Shape;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Rectangle2D;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.data.xy.XYSeries;
import org.jfree.data.xy.XYSeriesCollection;

/**
 * The time of a decode step against the bytes it must read, per token and key-value head, and the line that no step can
 * fall below: those bytes at the speed of plain reading. One point per layer; one series per group size.
 */
public final class RooflineChart {

    private static final Color ROOF = new Color(0x8a, 0x93, 0x9e);

    private RooflineChart() {}

    /**
     * Draws what was measured at the longest context.
     *
     * @param decodeSteps rows of one head dimension and number of threads
     */
    public static String svg(List<ReportRow> decodeSteps) {
        int context = decodeSteps.stream().mapToInt(ReportRow::contextTokens).max().orElseThrow();
        List<ReportRow> steps =
                decodeSteps.stream().filter(row -> row.contextTokens() == context).toList();
        XYSeriesCollection data = new XYSeriesCollection();
        XYLineAndShapeRenderer renderer = new XYLineAndShapeRenderer(false, true);
        double mostBytes = steps.stream().mapToDouble(ReportRow::bytesPerTokenHead).max().orElseThrow() * 1.2;
        double mostNanos = steps.stream().mapToDouble(ReportRow::nanosPerTokenHead).max().orElseThrow() * 1.15;
        NumberAxis bytes = axis("bytes per token and key-value head", mostBytes);
        NumberAxis nanos = axis("nanoseconds per token and key-value head", mostNanos);
        XYPlot plot = new XYPlot(data, bytes, nanos, renderer);
        plot.setDomainGridlinePaint(ChartStyle.GRID);
        plot.setRangeGridlinePaint(ChartStyle.GRID);
        addRoof(data, renderer, steps, mostBytes);
        Map<Integer, XYSeries> groups = new LinkedHashMap<>();
        for (ReportRow step : steps) {
            groups.computeIfAbsent(step.groupSize(), RooflineChart::series)
                    .add(step.bytesPerTokenHead(), step.nanosPerTokenHead());
        }
        PointLabels labels = new PointLabels(bytes.getRange(), nanos.getRange());
        steps.forEach(step -> labels.add(
                step.spec() + " " + step.format(), step.bytesPerTokenHead(), step.nanosPerTokenHead(), Color.BLACK));
        labels.place().forEach(plot::addAnnotation);
        groups.values().forEach(series -> {
            int index = data.getSeriesCount();
            data.addSeries(series);
            renderer.setSeriesPaint(index, ChartStyle.colour(index));
            renderer.setSeriesShape(index, marker(index));
        });
        return ChartStyle.svg(ChartStyle.chart(plot, true), "roofline", ChartStyle.HEIGHT);
    }

    private static void addRoof(
            XYSeriesCollection data, XYLineAndShapeRenderer renderer, List<ReportRow> steps, double mostBytes) {
        double speed = steps.stream().mapToDouble(ReportRow::readGigabytesPerSecond).average().orElseThrow();
        XYSeries roof = new XYSeries(ChartStyle.format("'plain reading, '0.0' GB/s'").format(speed));
        roof.add(0, 0);
        roof.add(mostBytes, mostBytes / speed);
        data.addSeries(roof);
        renderer.setSeriesLinesVisible(0, true);
        renderer.setSeriesShapesVisible(0, false);
        renderer.setSeriesPaint(0, ROOF);
        renderer.setSeriesStroke(0, new BasicStroke(2));
    }

    private static XYSeries series(int groupSize) {
        return new XYSeries("G = " + groupSize);
    }

    private static Shape marker(int index) {
        return index % 2 == 1 ? new Ellipse2D.Double(-5, -5, 10, 10) : new Rectangle2D.Double(-5, -5, 10, 10);
    }

    private static NumberAxis axis(String name, double most) {
        NumberAxis axis = new NumberAxis(name);
        axis.setRange(0, most);
        axis.setNumberFormatOverride(ChartStyle.format("0"));
        ChartStyle.apply(axis);
        return axis;
    }
}

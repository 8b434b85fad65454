package dev.attune.examples.report;

import dev.attune.examples.evaluation.CacheResult;
import java.awt.geom.Ellipse2D;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.data.xy.XYSeries;
import org.jfree.data.xy.XYSeriesCollection;

/**
 * Accuracy against size: one labelled point per cache. A cache that is far worse than all others would flatten them
 * onto the axis, so it is left out and named in the caption.
 *
 * @param svg the chart
 * @param leftOut what lies beyond it, if anything
 */
record AccuracyChart(String svg, Optional<String> leftOut) {

    /** A cache is left out if its loss is more than this many times the next one's. */
    private static final double FAR = 2.5;

    private record Point(String name, int colour, double bytes, double nats) {}

    static AccuracyChart of(List<CacheResult> results) {
        double base = ResultTable.dense(results).map(CacheResult::natsPerByte).orElse(0.0);
        List<Point> points = new ArrayList<>();
        for (CacheResult result : results) {
            points.add(new Point(
                    result.choice().name(), points.size(), result.tableSample().bytesPerTokenPerHead(),
                    result.natsPerByte() - base));
        }
        points.sort(Comparator.comparingDouble(Point::nats));
        Optional<String> leftOut = Optional.empty();
        int last = points.size() - 1;
        if (base > 0 && last >= 2 && points.get(last).nats() > FAR * points.get(last - 1).nats()) {
            Point far = points.remove(last);
            leftOut = Optional.of(ResultTable.format(
                    "%s lies far above the chart: %+.4f nats/byte at %.0f bytes.",
                    far.name(), far.nats(), far.bytes()));
        }
        String label = base > 0 ? "nats per byte above dense (lower is better)" : "nats per byte (lower is better)";
        return new AccuracyChart(ChartStyle.svg(chart(points, label), "accuracy", ChartStyle.HEIGHT), leftOut);
    }

    private static JFreeChart chart(List<Point> points, String label) {
        double lowest = points.getFirst().nats();
        double highest = points.getLast().nats();
        double margin = Math.max(1e-4, 0.12 * (highest - lowest));
        double most = points.stream().mapToDouble(Point::bytes).max().orElseThrow();
        NumberAxis bytes = new NumberAxis("bytes per token and key-value head, keys and values");
        // Room for the label of the largest cache.
        bytes.setRange(0, most * 1.22);
        bytes.setNumberFormatOverride(ChartStyle.format("0"));
        NumberAxis nats = new NumberAxis(label);
        nats.setRange(lowest - margin, highest + margin);
        nats.setNumberFormatOverride(ChartStyle.format("0.000"));
        ChartStyle.apply(bytes);
        ChartStyle.apply(nats);
        XYSeriesCollection data = new XYSeriesCollection();
        XYLineAndShapeRenderer renderer = new XYLineAndShapeRenderer(false, true);
        XYPlot plot = new XYPlot(data, bytes, nats, renderer);
        plot.setDomainGridlinePaint(ChartStyle.GRID);
        plot.setRangeGridlinePaint(ChartStyle.GRID);
        PointLabels labels = new PointLabels(bytes.getRange(), nats.getRange());
        for (Point point : points) {
            XYSeries series = new XYSeries(point.name());
            series.add(point.bytes(), point.nats());
            renderer.setSeriesPaint(data.getSeriesCount(), ChartStyle.colour(point.colour()));
            renderer.setSeriesShape(data.getSeriesCount(), new Ellipse2D.Double(-5.5, -5.5, 11, 11));
            data.addSeries(series);
            labels.add(point.name(), point.bytes(), point.nats(), ChartStyle.colour(point.colour()));
        }
        labels.place().forEach(plot::addAnnotation);
        return ChartStyle.chart(plot, false);
    }
}

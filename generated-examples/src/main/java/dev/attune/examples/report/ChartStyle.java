package dev.attune.examples.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.geom.Rectangle2D;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.Locale;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.Axis;
import org.jfree.chart.block.BlockBorder;
import org.jfree.chart.plot.Plot;
import org.jfree.chart.ui.RectangleInsets;
import org.jfree.svg.SVGGraphics2D;
import org.jfree.svg.ViewBox;

/** The common look of the charts. */
public final class ChartStyle {

    /** Width of a chart, in pixels where it is not scaled. */
    public static final int WIDTH = 760;

    /** The usual height. */
    public static final int HEIGHT = 420;

    /** Font of labels and ticks. */
    public static final Font LABELS = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
    static final Font TITLES = new Font(Font.SANS_SERIF, Font.BOLD, 12);
    static final Color TEXT = new Color(0x33, 0x3b, 0x45);

    /** Colour of grid lines. */
    public static final Color GRID = new Color(0xe3, 0xe7, 0xec);

    /** How a line through points is drawn. */
    public static final BasicStroke LINE = new BasicStroke(2.2f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND);

    /** Okabe and Ito's palette, which colour-blind readers can tell apart, and darker shades of it. */
    private static final Color[] COLOURS = {
        new Color(0x44, 0x4c, 0x56), new Color(0x00, 0x72, 0xb2), new Color(0xd5, 0x5e, 0x00),
        new Color(0x00, 0x9e, 0x73), new Color(0xcc, 0x79, 0xa7), new Color(0xe6, 0x9f, 0x00),
        new Color(0x56, 0xb4, 0xe9), new Color(0x8a, 0x5a, 0x00), new Color(0x6a, 0x3d, 0x9a),
        new Color(0x00, 0x5f, 0x45), new Color(0xa0, 0x1c, 0x3c), new Color(0x99, 0x99, 0x99)
    };

    private ChartStyle() {}

    /** Returns one of twelve colours. */
    public static Color colour(int index) {
        return COLOURS[index % COLOURS.length];
    }

    /** Returns a format for tick labels, the same in every locale. */
    public static DecimalFormat format(String pattern) {
        return new DecimalFormat(pattern, DecimalFormatSymbols.getInstance(Locale.ROOT));
    }

    /** Styles an axis. */
    public static void apply(Axis axis) {
        axis.setLabelFont(TITLES);
        axis.setLabelPaint(TEXT);
        axis.setTickLabelFont(LABELS);
        axis.setTickLabelPaint(TEXT);
        axis.setAxisLinePaint(GRID.darker());
        axis.setTickMarkPaint(GRID.darker());
    }

    /** Styles a plot and makes it a chart. */
    public static JFreeChart chart(Plot plot, boolean legend) {
        plot.setBackgroundPaint(Color.WHITE);
        plot.setOutlineVisible(false);
        plot.setInsets(new RectangleInsets(10, 6, 6, 18));
        JFreeChart chart = new JFreeChart(null, LABELS, plot, legend);
        chart.setBackgroundPaint(Color.WHITE);
        if (legend) {
            chart.getLegend().setItemFont(LABELS);
            chart.getLegend().setItemPaint(TEXT);
            chart.getLegend().setFrame(BlockBorder.NONE);
        }
        return chart;
    }

    /** Draws a chart as an SVG element that scales with the page. */
    public static String svg(JFreeChart chart, String id, int height) {
        SVGGraphics2D graphics = new SVGGraphics2D(WIDTH, height);
        // Element ids must differ between the charts of one page.
        graphics.setDefsKeyPrefix(id);
        chart.draw(graphics, new Rectangle2D.Double(0, 0, WIDTH, height));
        return graphics.getSVGElement(id, false, new ViewBox(0, 0, WIDTH, height), null, null);
    }
}

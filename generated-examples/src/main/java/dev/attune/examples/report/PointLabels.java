package dev.attune.examples.report;

import java.awt.Paint;
import java.awt.font.FontRenderContext;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jfree.chart.annotations.XYTextAnnotation;
import org.jfree.chart.ui.TextAnchor;
import org.jfree.data.Range;

/**
 * Labels beside the points of a chart, none on another or on a point: to the right if there is room, else to the left,
 * else some lines up or down.
 */
public final class PointLabels {

    /** Of a chart's pixels, those of its axes, insets and legend; roughly, for it depends on the fonts. */
    private static final int MARGIN = 90;

    private static final int LINE = 17;
    private static final int RADIUS = 7;
    private static final int GAP = 9;

    /** A label farther from its point than that would not be taken for its own. */
    private static final int MOST_LINES = 4;

    private static final FontRenderContext FONTS = new FontRenderContext(null, true, true);

    private final double pixelsX;
    private final double pixelsY;
    private final Range rangeY;
    private final List<Point> points = new ArrayList<>();

    private record Point(String text, double x, double y, Paint paint) {}

    /**
     * Prepares the labels of a chart of {@link ChartStyle#WIDTH} by {@link ChartStyle#HEIGHT}.
     *
     * @param x the range of the axis to the right
     * @param y the range of the axis upwards
     */
    public PointLabels(Range x, Range y) {
        this.pixelsX = (ChartStyle.WIDTH - MARGIN) / x.getLength();
        this.pixelsY = (ChartStyle.HEIGHT - MARGIN) / y.getLength();
        this.rangeY = y;
    }

    /** Adds a point. */
    public void add(String text, double x, double y, Paint paint) {
        points.add(new Point(text, x, y, paint));
    }

    /** Returns a label for each point; those on the right choose first, since labels run to the right. */
    public List<XYTextAnnotation> place() {
        List<Rectangle2D> taken = new ArrayList<>();
        points.forEach(point -> taken.add(new Rectangle2D.Double(
                point.x() * pixelsX - RADIUS, point.y() * pixelsY - RADIUS, 2 * RADIUS, 2 * RADIUS)));
        List<XYTextAnnotation> labels = new ArrayList<>();
        points.stream().sorted(Comparator.comparingDouble(Point::x).reversed()).forEach(point -> {
            Rectangle2D box = place(point, taken);
            taken.add(box);
            boolean right = box.getCenterX() > point.x() * pixelsX;
            XYTextAnnotation label = new XYTextAnnotation(
                    point.text(), (right ? box.getMinX() : box.getMaxX()) / pixelsX, box.getCenterY() / pixelsY);
            label.setTextAnchor(right ? TextAnchor.CENTER_LEFT : TextAnchor.CENTER_RIGHT);
            label.setFont(ChartStyle.LABELS);
            label.setPaint(point.paint());
            labels.add(label);
        });
        return labels;
    }

    private Rectangle2D place(Point point, List<Rectangle2D> taken) {
        double width = ChartStyle.LABELS.getStringBounds(point.text(), FONTS).getWidth();
        double centre = point.x() * pixelsX;
        for (int lines = 0; lines <= MOST_LINES; lines++) {
            for (int up : lines == 0 ? new int[] {0} : new int[] {lines, -lines}) {
                double bottom = point.y() * pixelsY + (up - 0.5) * LINE;
                for (double left : new double[] {centre + GAP, centre - GAP - width}) {
                    Rectangle2D box = new Rectangle2D.Double(left, bottom, width, LINE);
                    if (fits(box) && taken.stream().noneMatch(box::intersects)) {
                        return box;
                    }
                }
            }
        }
        return new Rectangle2D.Double(centre + GAP, point.y() * pixelsY - LINE / 2.0, width, LINE);
    }

    private boolean fits(Rectangle2D box) {
        return box.getMinX() > 0
                && box.getMinY() > rangeY.getLowerBound() * pixelsY
                && box.getMaxY() < rangeY.getUpperBound() * pixelsY;
    }
}

package dev.attune.examples.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.Color;
import java.awt.font.FontRenderContext;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.List;
import org.jfree.chart.annotations.XYTextAnnotation;
import org.jfree.chart.ui.TextAnchor;
import org.jfree.data.Range;
import org.junit.jupiter.api.Test;

/** Labels on axes of 670 by 330, where a unit is a pixel. */
class PointLabelsTest {

    private static final double LINE = 15;

    private final PointLabels labels = new PointLabels(
            new Range(0, ChartStyle.WIDTH - 90), new Range(0, ChartStyle.HEIGHT - 90));
    private final List<Rectangle2D> points = new ArrayList<>();

    private void add(String text, double x, double y) {
        labels.add(text, x, y, Color.BLACK);
        points.add(new Rectangle2D.Double(x - 5, y - 5, 10, 10));
    }

    private static Rectangle2D box(XYTextAnnotation label) {
        double width = ChartStyle.LABELS
                .getStringBounds(label.getText(), new FontRenderContext(null, true, true))
                .getWidth();
        boolean right = label.getTextAnchor() == TextAnchor.CENTER_LEFT;
        return new Rectangle2D.Double(
                right ? label.getX() : label.getX() - width, label.getY() - LINE / 2, width, LINE);
    }

    @Test
    void aLabelAloneStandsToTheRightOfItsPoint() {
        add("alone", 100, 100);
        XYTextAnnotation label = labels.place().getFirst();
        assertEquals(TextAnchor.CENTER_LEFT, label.getTextAnchor());
        assertEquals(109, label.getX(), 1e-9);
        assertEquals(100, label.getY(), 1e-9);
    }

    @Test
    void neitherLabelsNorPointsAreHidden() {
        add("k0.8-centred+v0.8-int4", 127, 100);
        add("k0.8-centred+v0.8-int8", 152, 101);
        add("k0.8-centred+v0.8", 198, 102);
        add("k0.8-centred+v0.8-f16", 198, 102);
        add("k0.8", 352, 100);
        add("k0.8-rms", 352, 101);
        List<XYTextAnnotation> placed = labels.place();
        assertEquals(6, placed.size());
        for (XYTextAnnotation label : placed) {
            Rectangle2D box = box(label);
            points.forEach(point -> assertFalse(box.intersects(point), label.getText() + " hides a point"));
            placed.stream()
                    .filter(other -> other != label)
                    .forEach(other -> assertFalse(
                            box.intersects(box(other)), label.getText() + " hides " + other.getText()));
        }
    }

    @Test
    void labelsStayOnTheChart() {
        add("a label at the upper edge", 300, ChartStyle.HEIGHT - 94);
        add("another at the upper edge", 300, ChartStyle.HEIGHT - 95);
        for (XYTextAnnotation label : labels.place()) {
            assertTrue(box(label).getMaxY() <= ChartStyle.HEIGHT - 90, label.getText());
        }
    }
}

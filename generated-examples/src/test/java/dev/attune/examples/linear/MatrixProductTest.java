package dev.attune.examples.linear;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MatrixProductTest {

    private static final long SEED = 20_260_101;

    @ParameterizedTest
    @CsvSource({"1,1,1", "1,384,256", "5,7,63", "6,64,64", "7,33,65", "97,129,200", "200,16,130"})
    void agreesWithADoubleLoop(int rows, int depth, int columns) {
        Random random = new Random(SEED);
        float[] a = random(random, rows * depth);
        float[] weights = random(random, columns * depth);
        float[] before = random(random, rows * columns);
        PanelMatrix b = PanelMatrix.ofRows(depth, weights);

        float[] product = before.clone();
        MatrixProduct.multiply(a, depth, rows, b, product);
        float[] sum = before.clone();
        MatrixProduct.multiplyAdd(a, depth, rows, b, sum);

        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                double expected = 0;
                for (int k = 0; k < depth; k++) {
                    expected += (double) a[row * depth + k] * weights[column * depth + k];
                }
                int i = row * columns + column;
                String place = "seed " + SEED + ", row " + row + ", column " + column;
                assertEquals(expected, product[i], 1e-5 * depth, place);
                assertEquals(before[i] + expected, sum[i], 1e-5 * depth, place);
            }
        }
    }

    private static float[] random(Random random, int count) {
        float[] array = new float[count];
        for (int i = 0; i < count; i++) {
            array[i] = 2 * random.nextFloat() - 1;
        }
        return array;
    }
}

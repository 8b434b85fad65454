package dev.attune.reference;

import dev.attune.runtime.Attune;
import dev.attune.runtime.KernelTuner;
import dev.attune.runtime.tuning.ContestListener;
import java.time.Duration;

/** Run in a JVM of its own: tunes, with so little time that everything is verified and nothing timed. */
public final class TunerProbe {

    private TunerProbe() {}

    public static void main(String[] arguments) {
        new KernelTuner(Attune.provider(SmallLayer.class))
                .tune(1024, 3, Duration.ofNanos(1), ContestListener.SILENT);
    }
}

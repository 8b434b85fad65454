package dev.attune.examples.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.attune.examples.evaluation.CacheResult;
import dev.attune.examples.evaluation.DecodeTiming;
import dev.attune.examples.evaluation.NeedleScore;

/** The results for other programs. */
public final class JsonReport {

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private JsonReport() {}

    /** Returns an array with one object per cache. */
    public static String rows(Study study) {
        return rowNodes(study).toPrettyString() + "\n";
    }

    /** Returns an object with the rows, the machine, and how it was measured. */
    public static String report(Study study) {
        ObjectNode report = JSON.objectNode();
        report.put("model", study.modelLine());
        report.set("machine", new ObjectMapper().valueToTree(study.machine()));
        ArrayNode method = report.putArray("method");
        study.method().forEach(method::add);
        report.set("rows", rowNodes(study));
        return report.toPrettyString() + "\n";
    }

    private static ArrayNode rowNodes(Study study) {
        ArrayNode rows = JSON.arrayNode();
        study.results().forEach(result -> rows.add(row(result, study.evaluation().passages())));
        return rows;
    }

    private static ObjectNode row(CacheResult result, int passages) {
        DecodeTiming.Sample sample = result.tableSample();
        NeedleScore all = result.allNeedles();
        ObjectNode row = JSON.objectNode();
        row.put("cache", result.choice().name());
        row.put("needleAccuracy", all.accuracy());
        row.put("prompts", all.prompts());
        row.put("natsPerByte", result.natsPerByte());
        row.put("passages", passages);
        row.put("bytesPerTokenPerHead", sample.bytesPerTokenPerHead());
        row.put("compression", sample.compression());
        row.put("decodeMicros", sample.micros());
        row.put("decodeTokens", DecodeTiming.TABLE_CONTEXT);
        row.put("backend", result.backendName());
        ArrayNode needles = row.putArray("needles");
        for (NeedleScore score : result.needles()) {
            needles.addObject()
                    .put("file", score.file())
                    .put("needleAccuracy", score.accuracy())
                    .put("prompts", score.prompts());
        }
        ArrayNode decode = row.putArray("decode");
        for (CacheResult.Timing timing : result.timings()) {
            decode.addObject().put("tokens", timing.context()).put("micros", timing.sample().micros());
        }
        return row;
    }
}

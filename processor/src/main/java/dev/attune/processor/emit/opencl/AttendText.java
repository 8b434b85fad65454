package dev.attune.processor.emit.opencl;

import dev.attune.processor.plan.OpenClPlan;

/** Writes the fused decode step in the form of flash-decoding: partial results of splits, and their merger. */
final class AttendText {

    private AttendText() {}

    static String write(OpenClPlan plan) {
        return heads(plan)
                + (plan.inRegisters() ? RegisterAttendText.write(plan) : StreamedAttendText.write(plan))
                + merge();
    }

    private static String heads(OpenClPlan plan) {
        String type = plan.heads() == 1 ? "float" : "float" + plan.heads();
        return OpenClText.of("""

                // From here on, products and sums may be fused.
                #pragma OPENCL FP_CONTRACT ON

                #define HEADS $heads  // query heads of a pass
                #define PASSES $passes  // passes over the tokens that serve all query heads of a group
                #define TEAMS $teams  // tiles a work-group attends to at a time, LANES work-items each

                /* A number for each query head of a pass. */
                typedef $type heads;

                static heads query_of(global const float *queries, uint pass, uint channel) {
                    return (heads) ($queries);
                }
                """)
                .with("heads", plan.heads())
                .with("passes", plan.passes())
                .with("teams", plan.teams())
                .with("type", type)
                .with("queries", queries(plan))
                .toString();
    }

    /** One query for each head of the pass; heads beyond the group's are idle, with queries of zero. */
    private static String queries(OpenClPlan plan) {
        StringBuilder text = new StringBuilder();
        boolean idle = plan.heads() * plan.passes() > plan.model().groupSize();
        for (int g = 0; g < plan.heads(); g++) {
            String query = "queries[(pass * HEADS + " + g + ") * HEAD_DIM + channel]";
            text.append(g == 0 ? "" : ",\n            ")
                    .append(idle ? "pass * HEADS + " + g + " < GROUP_SIZE ? " + query + " : 0" : query);
        }
        return text.toString();
    }

    private static String merge() {
        return """

            #define MERGE_SHARES 8  // shares of the splits, merged side by side

            /*
             * Merges the partial results of a pass: outputs [heads][GROUP_SIZE][HEAD_DIM], then log-sum-exps
             * [heads][GROUP_SIZE], then the receipt of the launch that left the partial results. Work-groups are
             * [heads][PASSES][PADDED_CHANNELS / LANES], for LANES channels each.
             */
            kernel __attribute__((reqd_work_group_size(LANES * MERGE_SHARES, 1, 1)))
            void merge(global const heads *partials, global float *results, global const int *receipt, int parts) {
                local heads sums[MERGE_SHARES][LANES];
                local heads references[MERGE_SHARES][LANES];
                local heads sums_of_weights[MERGE_SHARES][LANES];
                uint share = get_local_id(0) / LANES;
                uint lane = get_local_id(0) % LANES;
                uint channel = get_group_id(0) % (PADDED_CHANNELS / LANES) * LANES + lane;
                uint row = get_group_id(0) / (PADDED_CHANNELS / LANES);
                uint pass = row % PASSES;
                uint first = row / PASSES * GROUP_SIZE + pass * HEADS;
                uint query_heads = get_num_groups(0) / (PADDED_CHANNELS / LANES) / PASSES * GROUP_SIZE;
                partials += (size_t) row * parts * (HEAD_DIM + 2);
                heads sum = 0;
                heads reference = -FLT_MAX;
                heads sum_of_weights = 0;
                #pragma unroll 4
                for (int part = share; part < parts; part += MERGE_SHARES) {
                    global const heads *of = partials + (size_t) part * (HEAD_DIM + 2);
                    heads higher = fmax(reference, of[HEAD_DIM]);
                    heads old = exp2(reference - higher);
                    heads more = exp2(of[HEAD_DIM] - higher);
                    sum = sum * old + of[min(channel, (uint) HEAD_DIM - 1)] * more;
                    sum_of_weights = sum_of_weights * old + of[HEAD_DIM + 1] * more;
                    reference = higher;
                }
                sums[share][lane] = sum;
                references[share][lane] = reference;
                sums_of_weights[share][lane] = sum_of_weights;
                barrier(CLK_LOCAL_MEM_FENCE);
                if (share == 0) {
                    for (uint other = 1; other < MERGE_SHARES; other++) {
                        reference = fmax(reference, references[other][lane]);
                    }
                    sum = 0;
                    sum_of_weights = 0;
                    for (uint other = 0; other < MERGE_SHARES; other++) {
                        heads shrink = exp2(references[other][lane] - reference);
                        sum += sums[other][lane] * shrink;
                        sum_of_weights += sums_of_weights[other][lane] * shrink;
                    }
                    heads outputs = sum / sum_of_weights;
                    heads log_sum_exps = (reference + log2(sum_of_weights)) * M_LN2_F;
                    for (uint g = 0; g < HEADS && pass * HEADS + g < GROUP_SIZE; g++) {
                        if (channel < HEAD_DIM) {
                            results[(first + g) * HEAD_DIM + channel] = ((const float *) &outputs)[g];
                        }
                        if (channel == 0) {
                            results[query_heads * HEAD_DIM + first + g] = ((const float *) &log_sum_exps)[g];
                        }
                    }
                }
                if (get_global_id(0) == 0) {
                    results[query_heads * (HEAD_DIM + 1)] = as_float(*receipt);
                }
            }
            """;
    }
}

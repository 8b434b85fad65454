package dev.attune.examples.evaluation;

/**
 * How often a cache found the fact.
 *
 * @param file the prompts' file
 * @param exact answers that were exactly right
 * @param prompts prompts that were asked
 */
public record NeedleScore(String file, int exact, int prompts) {

    /** Returns the fraction of exact answers. */
    public double accuracy() {
        return (double) exact / prompts;
    }
}

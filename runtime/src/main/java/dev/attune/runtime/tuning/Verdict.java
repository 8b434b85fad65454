package dev.attune.runtime.tuning;

/** What became of a candidate. */
public enum Verdict {

    /** It was timed to the end. */
    TIMED,

    /** It was so much slower than the best that timing it further would have been a waste. */
    STOPPED_EARLY,

    /** It took part in races of a search, and not in the last contest; its times are those of its last race. */
    SEARCHED,

    /** It could run, but was not timed. */
    LEFT_OUT,

    /** It computed something wrong, or failed. It must not be used on this machine. */
    REFUSED,

    /** It cannot run on this machine. */
    UNSUPPORTED
}

package dev.attune.processor.diagnostics;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Everything the processor may say. Ids are stable: they are never given a second meaning. Documented, a row each, in
 * {@code docs/messages.md}.
 */
public enum Message {

    /** The annotation is on a class, record, enum or annotation type. */
    NOT_AN_INTERFACE("ATT001",
            "{specification} is {kind}, not an interface",
            "declare it as 'interface {name} {}'"),

    /** The annotated interface has type parameters. */
    GENERIC("ATT002",
            "the specification {specification} has type parameters",
            "remove them: one specification describes one attention layer"),

    /** The annotated interface, or a type around it, is private. */
    PRIVATE("ATT003",
            "generated kernels cannot refer to the specification {specification}: {type} is private",
            "remove 'private' from {type}"),

    /** The annotated interface is declared inside an inner (non-static) class. */
    INNER("ATT004",
            "the specification {specification} is declared inside the inner class {type}",
            "make {type} static, or move the specification out of it"),

    /** The head dimension is too small or too large. */
    HEAD_DIM_OUT_OF_RANGE("ATT010",
            "headDim = {headDim} is outside 16..512",
            "the nearest supported head dimension is {nearest}"),

    /** The head dimension does not fill the widest vectors. */
    HEAD_DIM_NOT_A_MULTIPLE("ATT011",
            "headDim = {headDim} is not a multiple of 16",
            "the nearest multiples are {below} and {above}"),

    /** Too few or too many heads. */
    HEADS_OUT_OF_RANGE("ATT012",
            "{attribute} = {heads} is outside 1..1024",
            "set it to the model's number of heads"),

    /** Query heads cannot be shared out evenly among the key-value heads. */
    QUERY_HEADS_NOT_A_MULTIPLE("ATT013",
            "queryHeads = {queryHeads} is not a multiple of keyValueHeads = {keyValueHeads}",
            "the nearest supported number of query heads is {nearest}"),

    /** A pruning ratio that is negative, 1 or more, or not a number. */
    RATIO_OUT_OF_RANGE("ATT014",
            "{side}.ratio = {ratio} is outside [0, 1)",
            "a ratio of 0.8 keeps {kept} of {count} {entries}"),

    /** An empty observation window. */
    WINDOW_NOT_POSITIVE("ATT015",
            "window = {window} is less than 1",
            "remove it to use the default of 32 positions"),

    /** A setting of keys written for values. */
    KEYS_ONLY("ATT020",
            "values.{attribute} has no meaning: it applies to keys only",
            "remove it"),

    /** Vector kernels are asked for in the unnamed module, which does not see the Vector API. */
    VECTOR_MODULE_NOT_ADDED("ATT021",
            "the backends {backends} need the module jdk.incubator.vector, which this compilation does not see",
            "compile with '--add-modules jdk.incubator.vector', or set 'backends = {}'"),

    /** Vector kernels are asked for in a named module, which does not read the Vector API. */
    VECTOR_MODULE_NOT_REQUIRED("ATT022",
            "the backends {backends} need the module jdk.incubator.vector, which the module {module} does not read",
            "add 'requires jdk.incubator.vector;' to its module-info.java, or set 'backends = {}'"),

    /** Integers are asked for where nothing is pruned. */
    INTEGERS_NEED_PRUNING("ATT023",
            "{side}.format = {format} stores kept entries alone, but with {side}.ratio = 0 nothing is pruned",
            "prune with a ratio of 0.5 or more, or store {side} as BFLOAT16"),

    /** Two specifications would generate one class. */
    GENERATED_BY_TWO("ATT030",
            "{specification} and {other} would both generate the class {generated}",
            "rename one of the two"),

    /** A specification would generate a class that the source declares. */
    GENERATED_AND_DECLARED("ATT031",
            "{specification} would generate the class {generated}, which is declared in the source",
            "rename one of the two"),

    /** A processor option that does not exist. */
    OPTION_UNKNOWN("ATT040",
            "there is no option -A{option}",
            "the options are {options}"),

    /** A processor option with a value that it does not take. */
    OPTION_INVALID("ATT041",
            "-A{option}={value} is not understood",
            "its values are {values}"),

    /** A processor option that says how another one is meant, which is not there. */
    OPTION_NEEDS_ANOTHER("ATT042",
            "-A{option}=true has no meaning without -A{other}",
            "add -A{other}=, or remove -A{option}"),

    /** The compiler could not create, read or write a file. */
    FILE_NOT_WRITTEN("ATT050",
            "{file} cannot be written: {cause}",
            "make sure that the output folder can be written and that nothing else generates this file"),

    /** What was generated, on request. */
    GENERATED(Severity.NOTE, "ATT060",
            "{specification} generated {classes}",
            "remove -Aattune.verbose to silence this note"),

    /** A profile is not there, or cannot be read. */
    PROFILE_UNREADABLE("ATT070",
            "the profile {profile} cannot be read: {cause}",
            "name a file that 'attune tune ... --export' wrote, by its path from {folder}"),

    /** A file is no profile. */
    PROFILE_INVALID("ATT071",
            "the profile {profile} is not understood at line {line}, column {column}: {cause}",
            "run 'attune tune ... --export {profile}' again"),

    /** A profile of a format that a later version of Attune writes, or that an earlier one wrote. */
    PROFILE_VERSION_UNKNOWN(Severity.WARNING, "ATT072",
            "the profile {profile} is not used: it has the format {format}, and this version of Attune reads {current}",
            "run 'attune tune ... --export {profile}' again with this version"),

    /** A profile knows a specification that does not exist. */
    PROFILE_SPECIFICATION_UNKNOWN(Severity.WARNING, "ATT073",
            "the profile {profile} was measured of {specification}, "
                    + "which is no specification of this compilation or on its class path",
            "run 'attune tune ... --export {profile}' again if it was renamed or removed; "
                    + "give each module a profile of its own if it is another module's"),

    /** A profile was measured of a specification with other numbers. */
    PROFILE_SPECIFICATION_CHANGED(Severity.WARNING, "ATT074",
            "the profile {profile} is not used for {specification} on {machines}: "
                    + "it was measured with other numbers or backends (hash {measured}, now {current})",
            "run 'attune tune {specification} ... --export {profile}' there, with all its specifications"),

    /** A profile was measured of other kernels of a specification. */
    PROFILE_KERNELS_CHANGED(Severity.WARNING, "ATT075",
            "the profile {profile} is not used for {specification} on {machines}: "
                    + "it was measured with other kernels, of Attune {version} (hash {measured}, now {current})",
            "run 'attune tune {specification} ... --export {profile}' there, with all its specifications"),

    /** A profile chooses a variant that does not exist. */
    PROFILE_VARIANT_UNKNOWN(Severity.WARNING, "ATT076",
            "the profile {profile} chooses {variant} for {specification}, whose variants are {variants}",
            "run 'attune tune {specification} ... --export {profile}' again, with all its specifications");

    private static final Pattern PLACEHOLDER = Pattern.compile("\\{(\\w+)}");

    private final Severity severity;
    private final String id;
    private final String text;
    private final String remedy;

    Message(String id, String text, String remedy) {
        this(Severity.ERROR, id, text, remedy);
    }

    Message(Severity severity, String id, String text, String remedy) {
        this.severity = severity;
        this.id = id;
        this.text = text;
        this.remedy = remedy;
    }

    /** Returns what the message does to the compilation. */
    public Severity severity() {
        return severity;
    }

    /** Returns the stable id, {@code ATT} and three digits. */
    public String id() {
        return id;
    }

    /** Returns what is wrong, with named placeholders such as <code>{headDim}</code>. */
    public String text() {
        return text;
    }

    /** Returns the way out, with named placeholders. */
    public String remedy() {
        return remedy;
    }

    /**
     * Returns this message about a position, printed as {@code [id] text; remedy}.
     *
     * @param arguments one value per distinct placeholder, in the order in which text and remedy name them first
     * @throws IllegalArgumentException if there are more or fewer values than placeholders
     */
    public Finding at(Position position, Object... arguments) {
        String template = "[" + id + "] " + text + "; " + remedy;
        List<String> names = new ArrayList<>();
        Matcher placeholders = PLACEHOLDER.matcher(template);
        while (placeholders.find()) {
            if (!names.contains(placeholders.group(1))) {
                names.add(placeholders.group(1));
            }
        }
        if (names.size() != arguments.length) {
            throw new IllegalArgumentException(
                    id + " takes " + names + ", not " + arguments.length + " arguments");
        }
        String printed = placeholders.replaceAll(placeholder ->
                Matcher.quoteReplacement(String.valueOf(arguments[names.indexOf(placeholder.group(1))])));
        return new Finding(this, position, printed);
    }
}

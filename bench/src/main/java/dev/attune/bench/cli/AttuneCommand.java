package dev.attune.bench.cli;

import dev.attune.examples.InputException;
import dev.attune.runtime.KernelPolicy;
import dev.attune.runtime.tuning.StoreSettings;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command line; everything it does is a subcommand. */
@Command(
        name = "attune",
        mixinStandardHelpOptions = true,
        version = "Attune 0.1.0",
        usageHelpAutoWidth = true,
        synopsisHeading = "Usage: ",
        descriptionHeading = "%n",
        commandListHeading = "%nCommands:%n",
        optionListHeading = "%nOptions:%n",
        description = "Kernels for attention over channel-pruned caches: measures and chooses those of this machine.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            ExitCode.DONE + ":Done.",
            ExitCode.FAILED + ":Failed; the message says why.",
            ExitCode.UNUSABLE + ":An option, a setting or an input is unusable; nothing was done.",
            ExitCode.INCONCLUSIVE + ":The budget of tune did not suffice for all measurements.",
            "130:Ctrl-C; what was measured before it is kept."
        },
        footerHeading = "%nEnvironment:%n",
        footer = {
            "  ATTUNE_STORE        The directory of the store.",
            "  ATTUNE_STORE_MODE   write (the default), read, or off.",
            "  ATTUNE_JAVA_OPTS    Options for java, such as -XX:UseAVX=2.",
            "  ATTUNE_CLASS_PATH   Further jars, such as Aparapi's for OpenCL devices.",
            "  ATTUNE_JAVA_HOME    The JDK to run on; otherwise that of JAVA_HOME or the PATH.",
            "",
            "attune COMMAND --help says more about a command."
        },
        subcommands = {
            DevicesCommand.class,
            SpecsCommand.class,
            TuneCommand.class,
            ExplainCommand.class,
            ReportCommand.class,
            ShowCommand.class,
            ExportCommand.class,
            ImportCommand.class,
            ClearCommand.class,
            BenchCommand.class
        })
public final class AttuneCommand {

    private AttuneCommand() {}

    /** Runs a subcommand and exits. */
    public static void main(String[] arguments) {
        // Charts are drawn without a screen.
        System.setProperty("java.awt.headless", "true");
        System.exit(commandLine().execute(arguments));
    }

    /** Returns the command line, with one line per error instead of a stack trace. */
    static CommandLine commandLine() {
        CommandLine commandLine = new CommandLine(new AttuneCommand());
        commandLine.setParameterExceptionHandler(AttuneCommand::badParameter);
        commandLine.setExecutionStrategy(AttuneCommand::run);
        commandLine.setExecutionExceptionHandler((exception, command, result) -> {
            int code = switch (exception) {
                case InputException unusable -> ExitCode.UNUSABLE;
                case CommandFailure failed -> ExitCode.FAILED;
                default -> throw exception;
            };
            complain(command, exception.getMessage());
            return code;
        });
        return commandLine;
    }

    /** Settings of the process are as much input as options are. */
    private static int run(ParseResult parsed) {
        boolean help = parsed.asCommandLineList().stream()
                .anyMatch(each -> each.isUsageHelpRequested() || each.isVersionHelpRequested());
        if (help) {
            return new RunLast().execute(parsed);
        }
        try {
            StoreSettings.ofProcess();
            KernelPolicy.ofProcess();
        } catch (IllegalArgumentException invalid) {
            complain(parsed.commandSpec().commandLine(), invalid.getMessage());
            return ExitCode.UNUSABLE;
        }
        return new RunLast().execute(parsed);
    }

    private static int badParameter(ParameterException exception, String[] arguments) {
        String message = exception.getMessage().lines().findFirst().orElse("an option is unusable");
        complain(exception.getCommandLine(), message + "; " + remedy(exception));
        return ExitCode.UNUSABLE;
    }

    private static String remedy(ParameterException exception) {
        CommandLine command = exception.getCommandLine();
        List<String> similar = exception instanceof UnmatchedArgumentException unmatched
                ? unmatched.getSuggestions()
                : List.of();
        if (!similar.isEmpty()) {
            return "did you mean " + String.join(" or ", similar) + "?";
        }
        return command.getParent() == null ? "--help lists the commands" : "--help lists the options";
    }

    /** Prints one line about what is wrong. */
    static void complain(CommandLine command, String message) {
        PrintWriter errors = command.getErr();
        errors.println(command.getColorScheme().errorText(command.getCommandName() + ": ") + message);
        errors.flush();
    }
}

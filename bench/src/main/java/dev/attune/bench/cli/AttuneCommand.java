package dev.attune.bench.cli;

import dev.attune.examples.InputException;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

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
        footer = {"", "Exit codes: 0 done, 2 an option or an input is unusable, 1 anything else."},
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

    private static final int UNUSABLE = 2;

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
        commandLine.setExecutionExceptionHandler((exception, command, result) -> {
            if (exception instanceof InputException) {
                return fail(command, exception.getMessage());
            }
            throw exception;
        });
        return commandLine;
    }

    private static int badParameter(ParameterException exception, String[] arguments) {
        String message = exception.getMessage().lines().findFirst().orElse("an option is unusable");
        return fail(exception.getCommandLine(), message + "; --help lists the options");
    }

    private static int fail(CommandLine command, String message) {
        PrintWriter errors = command.getErr();
        errors.println(command.getColorScheme().errorText(command.getCommandName() + ": ") + message);
        errors.flush();
        return UNUSABLE;
    }
}

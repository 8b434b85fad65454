package dev.attune.runtime.opencl;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * The OpenCL devices of this machine, asked for once. The system property {@code attune.opencl.device} chooses one, by
 * its index or by a part of its name or of its platform's, or several, separated by commas; otherwise graphics
 * processors come first, then other accelerators, then processors, and of equals those with more compute units.
 */
public final class OpenClDevices {

    /** The system property that chooses a device. */
    public static final String PROPERTY = "attune.opencl.device";

    private static final Comparator<OpenClDevice> PREFERENCE = Comparator.comparing(OpenClDevice::kind)
            .thenComparing(Comparator.comparingInt(OpenClDevice::computeUnits).reversed())
            .thenComparingInt(OpenClDevice::index);

    private final OpenClLibrary library;
    private final List<OpenClDevice> devices;

    private OpenClDevices(OpenClLibrary library, List<OpenClDevice> devices) {
        this.library = library;
        this.devices = devices;
    }

    /** Loads the library once; a failure is remembered, since what is missing does not appear while the JVM runs. */
    private static final class Holder {

        private static final OpenClDevices FOUND;
        private static final OpenClException FAILURE;

        static {
            OpenClDevices found = null;
            OpenClException failure = null;
            try {
                found = SignalHandlers.preserved(OpenClDevices::discover);
            } catch (OpenClException reason) {
                failure = reason;
            }
            FOUND = found;
            FAILURE = failure;
        }
    }

    /**
     * Returns the devices of this machine.
     *
     * @throws OpenClException if Aparapi, the OpenCL library or every driver is missing; the message says what to do
     */
    public static OpenClDevices find() {
        if (Holder.FAILURE != null) {
            throw new OpenClException(Holder.FAILURE.getMessage());
        }
        return Holder.FOUND;
    }

    private static OpenClDevices discover() {
        AparapiAccess.require();
        OpenClLibrary library = OpenClLibrary.load();
        List<OpenClDevice> devices = new ArrayList<>();
        for (long handle : AparapiAccess.devices()) {
            devices.add(OpenClDevice.of(devices.size(), handle, library));
        }
        return new OpenClDevices(library, List.copyOf(devices));
    }

    /** Returns all devices, usable or not, in the order of their platforms. */
    public List<OpenClDevice> all() {
        return devices;
    }

    /** Returns the usable devices, the preferred first. */
    public List<OpenClDevice> usable() {
        return devices.stream().filter(OpenClDevice::usable).sorted(PREFERENCE).toList();
    }

    /**
     * Returns the devices to use: the preferred one, or those the system property lists.
     *
     * @throws OpenClException if there is none, or not one the system property asks for; the message lists all
     */
    public List<OpenClDevice> chosen() {
        String wanted = System.getProperty(PROPERTY);
        return wanted == null
                ? List.of(best())
                : Arrays.stream(wanted.split(",")).map(String::strip).map(this::named).distinct().toList();
    }

    /** Returns the first of the {@linkplain #chosen chosen} devices. */
    public OpenClDevice preferred() {
        return chosen().getFirst();
    }

    private OpenClDevice best() {
        return usable().stream()
                .findFirst()
                .orElseThrow(() -> new OpenClException(
                        devices.isEmpty() ? "no driver offers a device" : "no device can be used: " + list()));
    }

    private OpenClDevice named(String wanted) {
        // Names have digits, too: what can be an index is one.
        OpenClDevice device = devices.stream()
                .filter(candidate -> wanted.equals(Integer.toString(candidate.index())))
                .findFirst()
                .or(() -> devices.stream().filter(candidate -> isPartOf(candidate, wanted)).findFirst())
                .orElseThrow(() -> new OpenClException("the system property " + PROPERTY + " = \"" + wanted
                        + "\" is neither the index nor a part of the name of a device; there are: " + list()));
        if (!device.usable()) {
            throw new OpenClException("the device chosen by the system property " + PROPERTY + " cannot be used: "
                    + String.join(", ", device.lacks()));
        }
        return device;
    }

    private static boolean isPartOf(OpenClDevice device, String wanted) {
        return !wanted.isBlank()
                && (device.name() + "\n" + device.platform())
                        .toLowerCase(Locale.ROOT)
                        .contains(wanted.toLowerCase(Locale.ROOT));
    }

    private String list() {
        return devices.stream().map(OpenClDevice::describe).collect(Collectors.joining("; "));
    }

    OpenClLibrary library() {
        return library;
    }
}

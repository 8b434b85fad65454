package dev.attune.runtime.opencl;

/** A failure of OpenCL: the message names the call, the code, the device, and what can be done. */
public final class OpenClException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final int code;

    OpenClException(String message, int code) {
        super(message);
        this.code = code;
    }

    OpenClException(String message) {
        this(message, 0);
    }

    /** Returns the failure of a call. */
    static OpenClException of(String call, int code, String device, String doing) {
        String failure = call + " failed with " + ErrorName.of(code) + " on " + device + " " + doing;
        return new OpenClException(ErrorName.remedy(code).map(remedy -> failure + "; " + remedy).orElse(failure), code);
    }

    /** Returns OpenCL's error code, negative; 0 if the failure was found before OpenCL was called, or has no code. */
    public int code() {
        return code;
    }
}

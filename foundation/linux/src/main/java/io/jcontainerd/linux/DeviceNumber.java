package io.jcontainerd.linux;

/** Device numbers: one {@code dev_t} as glibc packs it, and its two halves. */
public final class DeviceNumber {
  private DeviceNumber() {}

  /** Packs both halves. */
  public static long of(long major, long minor) {
    return ((major & 0xffff_f000L) << 32)
        | ((major & 0xfffL) << 8)
        | ((minor & 0xffff_ff00L) << 12)
        | (minor & 0xffL);
  }

  /** The half that names the driver. */
  public static long major(long device) {
    return ((device >>> 32) & 0xffff_f000L) | ((device >>> 8) & 0xfffL);
  }

  /** The half that the driver reads. */
  public static long minor(long device) {
    return ((device >>> 12) & 0xffff_ff00L) | (device & 0xffL);
  }
}

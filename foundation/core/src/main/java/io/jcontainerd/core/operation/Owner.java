package io.jcontainerd.core.operation;

/** Who asked for what the running code does. Bound around each request by whoever serves it. */
public final class Owner {
  private static final ScopedValue<String> CURRENT = ScopedValue.newInstance();

  private Owner() {}

  /** Who asked; empty when nobody did. */
  public static String current() {
    return CURRENT.isBound() ? CURRENT.get() : "";
  }

  /** Runs the body as asked for by the owner. */
  public static <T, X extends Throwable> T call(String owner, ScopedValue.CallableOp<T, X> body)
      throws X {
    return ScopedValue.where(CURRENT, owner).call(body);
  }
}

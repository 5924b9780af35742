package io.jcontainerd.core.registry;

/** Opens registries, each time as somebody else wants to speak to them. Safe for many threads. */
public interface Registries {
  /**
   * A registry that is spoken to as told. Nothing is sent before it is asked for something. Whoever
   * opened it closes it, which ends what still goes on.
   *
   * @throws io.jcontainerd.core.failure.InvalidArgumentException if what was told is nonsense
   */
  Registry open(RegistryAccess access);
}

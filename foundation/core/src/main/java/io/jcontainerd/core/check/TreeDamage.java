package io.jcontainerd.core.check;

/**
 * Something in a layer that is not as it was recorded.
 *
 * @param path within the layer; empty for the layer's own folder or the record of it
 * @param damage what is wrong
 * @param detail what was expected and what was found
 */
public record TreeDamage(String path, Damage damage, String detail) {}

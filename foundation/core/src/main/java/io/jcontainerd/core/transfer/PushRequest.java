package io.jcontainerd.core.transfer;

/**
 * From the image store to a registry.
 *
 * @param source what, for which platforms
 * @param destination where to
 */
public record PushRequest(ImageSelection source, RemoteImage destination) {}

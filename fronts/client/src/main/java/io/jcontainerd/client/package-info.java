/**
 * containerd's API for Java programs: core's interfaces over a socket, and verbs above them.
 *
 * <p>{@link io.jcontainerd.client.Containerd} is the beginning. The {@code Remote…} classes keep
 * core's promises by calls to a daemon, ours or containerd's; {@code ImagePull}, {@code ImagePush},
 * {@code NewContainer} and {@code Task} are the verbs, made of those promises alone. Everything
 * blocks and is meant for virtual threads; interruption ends a wait.
 */
package io.jcontainerd.client;

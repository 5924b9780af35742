/**
 * Mounts that the kernel alone cannot do: of files that hold EROFS, of loop devices, of file
 * systems that are made first, and of overlays whose layers are such mounts.
 *
 * <p>Folders, as containerd lays them out below {@code io.containerd.mount-manager.v1.bolt} in the
 * state folder:
 *
 * <pre>
 * t/                        0700
 *   ID/                     0700; the id is a number that grows
 *     N                     where a mount is, or a link to a loop device; the highest was done first
 *     N-type                its type
 * </pre>
 *
 * <p>Names and records are others' business: what is here and in no record was left by a killed
 * daemon, and goes.
 */
package io.jcontainerd.mounts;

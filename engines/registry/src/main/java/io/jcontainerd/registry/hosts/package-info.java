/**
 * Where an image is asked for: what {@code hosts.toml} files say, and what follows from it.
 *
 * <pre>
 * ROOT/                          one of several; the first that knows the host is used
 *   registry.example_5000_/      for registry.example:5000
 *   registry.example:5000/       the same, when the first is absent
 *   docker.io/                   for a host without a port
 *   _default/                    for hosts without a folder of their own
 *     hosts.toml                 mirrors in order, and the registry itself
 *     *.crt, *.cert, *.key       without a usable hosts.toml: authorities, client certificates, keys
 * </pre>
 *
 * <p>{@link io.jcontainerd.registry.hosts.HostsDirectory} finds and reads; {@link
 * io.jcontainerd.registry.hosts.Resolution} is a pure function of what was read.
 */
package io.jcontainerd.registry.hosts;

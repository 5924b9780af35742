/**
 * Runs containers again whose labels ask for it.
 *
 * <pre>
 * containerd.io/restart.status              running or stopped: what is wished
 *                      .policy              no, always (also if empty), on-failure[:N], unless-stopped
 *                      .count               how often it was run again; written here
 *                      .explicitly-stopped  whether somebody stopped it on purpose
 *                      .loguri              where its output goes
 * </pre>
 */
package io.jcontainerd.runtime.restart;

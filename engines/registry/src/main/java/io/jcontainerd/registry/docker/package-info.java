/** What Docker's command line knows of us: {@code config.json} and its credential helpers. */
package io.jcontainerd.registry.docker;

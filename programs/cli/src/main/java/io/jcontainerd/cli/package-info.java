/**
 * {@code jctr}: a command each in a class of its own, over the Java client.
 *
 * <p>What a command prints goes to standard output, as a table or with {@code --format json};
 * everything else goes to standard error. Status 0 is success, 1 that something was found or not
 * done, 2 that the command was not understood, 3 that it failed.
 */
@NullMarked
package io.jcontainerd.cli;

import org.jspecify.annotations.NullMarked;

/**
 * Both ways between core's records and the messages of the API.
 *
 * <p>One class per subject; {@code toApi} goes outward, {@code toCore} inward. What cannot be a
 * core record is refused with {@link io.jcontainerd.core.failure.InvalidArgumentException}. Nothing
 * here keeps state or knows an engine.
 */
@org.jspecify.annotations.NullMarked
package io.jcontainerd.wire;

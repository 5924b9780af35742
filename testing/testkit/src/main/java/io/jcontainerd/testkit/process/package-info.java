/** Programs that only seem to run. */
package io.jcontainerd.testkit.process;

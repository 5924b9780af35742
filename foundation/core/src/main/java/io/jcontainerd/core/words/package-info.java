/** Words that people write into configuration, and what they most likely meant. */
package io.jcontainerd.core.words;

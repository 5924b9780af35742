/** Programs that turn layers of one media type into another before they are unpacked. */
package io.jcontainerd.diff.processor;

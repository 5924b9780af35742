/**
 * The filter language of every {@code List} call.
 *
 * <pre>
 * selectors := selector { "," selector }            all must hold
 * selector  := fieldpath [ operator value ]         without operator: the field is present
 * fieldpath := field { "." field }
 * field     := quoted | letters, digits, "_" and "-"
 * operator  := "==" | "!=" | "~="
 * value     := quoted | anything printable except white space and ","
 * quoted    := "…" with the escapes of a Go string; a value of "~=" may also stand in /…/ or |…|
 * </pre>
 *
 * <p>Several filters of one call are alternatives: one that holds is enough.
 */
package io.jcontainerd.core.filter;

package io.jcontainerd.core.transfer;

/**
 * From an archive into the image store ({@code ImageImportStream}).
 *
 * @param mediaType of the archive; empty to find out
 * @param forceCompress whether layers that are not compressed become so
 * @param destination under which names, for which platforms, unpacked where
 */
public record ImportRequest(String mediaType, boolean forceCompress, ImageSelection destination) {}

"""Copies or converts the side streams: sound, subtitles, data, chapters, tags and attached files."""

"""Carries sound, subtitles, chapters, tags and attachments beside the pictures."""

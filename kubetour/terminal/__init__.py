"""Telling a person at a terminal, or a program on a pipe, what happens: presenters of a tour."""

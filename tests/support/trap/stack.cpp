// Part of every program of the preset `check`, where undefined behaviour is a trap: ASan then shows
// where it was.

extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "handle_sigill=1"; }

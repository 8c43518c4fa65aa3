// Keeps those who want us to end from ending us between two changes.

#pragma once

#include <csignal>

namespace plumbline::cli {

/// From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT wait: of a change that was begun there is an
/// end and an exit status, whatever hangs up. What it starts for itself is ended by signals as ever
/// (io/program.hpp).
inline void stay_undisturbed() {
  sigset_t endings;
  sigemptyset(&endings);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&endings, signal);
  static_cast<void>(pthread_sigmask(SIG_BLOCK, &endings, nullptr));
}

}  // namespace plumbline::cli

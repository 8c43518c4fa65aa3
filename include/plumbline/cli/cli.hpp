// The program: global options, verbs, exit statuses (docs/cli.md).

#pragma once

namespace plumbline::cli {

/// Everything main() does; the process's exit status.
[[nodiscard]] int run(int argc, char** argv);

}  // namespace plumbline::cli

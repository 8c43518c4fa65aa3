// What each verb does; the process's exit status comes back.

#pragma once

#include "options.hpp"

namespace plumbline::cli {

[[nodiscard]] int validate(const Options& options);
[[nodiscard]] int plan(const Options& options);
[[nodiscard]] int apply(const Options& options);
[[nodiscard]] int destroy(const Options& options);
[[nodiscard]] int adopt(const Options& options);
[[nodiscard]] int show(const Options& options);
[[nodiscard]] int vms(const Options& options);
[[nodiscard]] int run(const Options& options);
[[nodiscard]] int doctor(const Options& options);
[[nodiscard]] int schema(const Options& options);

}  // namespace plumbline::cli

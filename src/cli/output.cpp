#include "output.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace plumbline::cli {

namespace {

void write(std::FILE* stream, const std::string& bytes) {
  std::fwrite(bytes.data(), 1, bytes.size(), stream);
}

}  // namespace

bool with_colour(const Options& options) {
  if (options.color != "auto") return options.color == "always";
  const char* no_color = std::getenv("NO_COLOR");
  return (no_color == nullptr || *no_color == '\0') && isatty(STDOUT_FILENO) == 1;
}

std::unique_ptr<report::Renderer> renderer(const Options& options) {
  return report::renderer(options.format, {with_colour(options), !options.quiet});
}

void print(const report::Printed& printed) {
  write(stderr, printed.err);
  write(stdout, printed.out);
}

}  // namespace plumbline::cli

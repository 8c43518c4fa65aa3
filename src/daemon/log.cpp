#include "log.hpp"

#include <spdlog/sinks/ansicolor_sink.h>

#include <cstdlib>
#include <memory>

namespace plumbline::daemon {

namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::debug:
      return spdlog::level::debug;
  }
  return spdlog::level::info;
}

}  // namespace

void open_log(LogLevel level, bool colour) {
  const auto mode = colour ? spdlog::color_mode::always : spdlog::color_mode::never;
  auto logger = std::make_shared<spdlog::logger>(
      "plumbline", std::make_shared<spdlog::sinks::ansicolor_stderr_sink_st>(mode));
  logger->set_level(spdlog_level(level));
  logger->flush_on(spdlog::level::trace);
  // The journal has its own clock and says who speaks: systemd.exec(5), JOURNAL_STREAM.
  logger->set_pattern(std::getenv("JOURNAL_STREAM") == nullptr ? "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v"
                                                               : "%^%l%$ %v");
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace plumbline::daemon

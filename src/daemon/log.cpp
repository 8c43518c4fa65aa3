#include "log.hpp"

#include <spdlog/details/null_mutex.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "log_writer.hpp"

namespace plumbline::daemon {

namespace {

/// Some thousand lines.
constexpr std::size_t most_unread_bytes = std::size_t{1} << 20U;

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

std::string_view colour_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::err:
      return "\033[31m\033[1m";
    case spdlog::level::warn:
      return "\033[33m\033[1m";
    case spdlog::level::info:
      return "\033[32m";
    default:
      return "\033[36m";
  }
}

std::string formatted(spdlog::formatter& formatter, const spdlog::details::log_msg& message,
                      bool colour) {
  spdlog::memory_buf_t buffer;
  formatter.format(message, buffer);
  std::string line(buffer.data(), buffer.size());
  if (!colour || message.color_range_end <= message.color_range_start) return line;
  line.insert(message.color_range_end, "\033[m");
  line.insert(message.color_range_start, colour_of(message.level));
  return line;
}

class Sink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  Sink(const std::string& pattern, bool colour)
      : base_sink(std::make_unique<spdlog::pattern_formatter>(pattern)),
        colour_(colour),
        writer_(STDERR_FILENO, most_unread_bytes, teller(pattern, colour)) {}

 private:
  static LogWriter::TellDropped teller(const std::string& pattern, bool colour) {
    const auto formatter = std::make_shared<spdlog::pattern_formatter>(pattern);
    return [formatter, colour](std::size_t count) {
      const std::string words = std::to_string(count) + " lines were dropped: nobody read the log";
      return formatted(*formatter, {"plumbline", spdlog::level::warn, words}, colour);
    };
  }

  void sink_it_(const spdlog::details::log_msg& message) override {
    writer_.add(formatted(*formatter_, message, colour_));
  }
  void flush_() override {}

  bool colour_;
  LogWriter writer_;
};

}  // namespace

Log::Log(LogLevel level, bool colour) {
  // The journal has its own clock and says who speaks: systemd.exec(5), JOURNAL_STREAM.
  const char* const pattern =
      std::getenv("JOURNAL_STREAM") == nullptr ? "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v" : "%^%l%$ %v";
  auto logger =
      std::make_shared<spdlog::logger>("plumbline", std::make_shared<Sink>(pattern, colour));
  logger->set_level(spdlog_level(level));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace plumbline::daemon

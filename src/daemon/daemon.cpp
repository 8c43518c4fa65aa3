#include "plumbline/daemon/daemon.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <functional>
#include <optional>
#include <random>
#include <utility>

#include "log.hpp"
#include "pacer.hpp"
#include "plumbline/io/host.hpp"
#include "plumbline/io/kernel_events.hpp"
#include "plumbline/io/watch.hpp"
#include "plumbline/spec/load.hpp"
#include "read_files.hpp"
#include "reconciler.hpp"
#include "service_notify.hpp"

namespace plumbline::daemon {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// Calls back whenever a descriptor that somebody else owns is readable, until a call says that
/// there is no reading it.
class Readable {
 public:
  Readable(asio::io_context& context, int descriptor) : descriptor_(context, descriptor) {}
  Readable(const Readable&) = delete;
  Readable& operator=(const Readable&) = delete;
  ~Readable() { descriptor_.release(); }

  void each_time(std::function<bool()> call) {
    call_ = std::move(call);
    wait();
  }

 private:
  void wait() {
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code error) {
      if (error == asio::error::operation_aborted) return;
      if (call_()) wait();
    });
  }

  asio::posix::stream_descriptor descriptor_;
  std::function<bool()> call_;
};

Pace pace_of(const RunOptions& options) {
  Pace pace;
  pace.interval = options.interval;
  return pace;
}

/// For the log.
std::string_view cause_of(Hint hint) {
  switch (hint) {
    case Hint::kernel:
      return "the kernel changed";
    case Hint::spec:
      return "the files changed";
    case Hint::asked:
      return "SIGHUP";
  }
  return "";
}

constexpr std::string_view not_watched = "some files are looked at with the timer only";

class Daemon {
 public:
  Daemon(const RunOptions& options, const engine::Context& context, io::Events& events,
         FileReader& files)
      : events_(&events),
        host_(&context.host),
        sources_(options.sources),
        read_files_(files),
        pace_(pace_of(options)),
        pacer_(pace_, Clock::now()),
        reconciler_(options.sources, context, read_files_),
        notify_(ServiceNotify::socket_from_environment()) {
    watch_.set_sources(options.sources);
    if (!watch_.shortage().empty()) throw io::HostError(watch_.shortage());
    if (!events_->hears_nf_tables()) {
      spdlog::info("no events of nf_tables: iptables chains are looked at with the timer");
    }
  }

  int run() {
    files_.each_time([this] { return on_files(); });
    kernel_.each_time([this] { return on_kernel(); });
    await_signal();
    schedule();
    context_.run();
    return 0;
  }

 private:
  bool on_files() try {
    if (watch_.drain()) {
      files_changed_ = true;
      hint(Hint::spec);
    }
    tell_shortage();
    return true;
  } catch (const io::HostError& error) {
    spdlog::error("files are looked at with the timer only: {}", printable(error.what()));
    return false;
  }

  bool on_kernel() try {
    const io::Events::Drained drained = events_->drain();
    if (drained.lost) spdlog::debug("kernel events were lost: looking at everything anyway");
    for (const io::Events::Writer& writer : drained.writers) {
      if (writer.port == host_->nf_tables_port()) continue;
      spdlog::debug("nf_tables was changed by {}, pid {}", printable(writer.name), writer.thread);
    }
    if (drained.count != 0 || drained.lost) hint(Hint::kernel);
    return true;
  } catch (const io::HostError& error) {
    spdlog::error("the kernel is looked at with the timer only: {}", printable(error.what()));
    return false;
  }

  void await_signal() {
    signals_.async_wait([this](error_code error, int signal) {
      if (error) return;
      if (signal == SIGHUP) {
        files_changed_ = true;
        reconciler_.flap_backoff().forget();
        hint(Hint::asked);
        await_signal();
        return;
      }
      spdlog::info("stopping: {}", signal == SIGINT ? "SIGINT" : "SIGTERM");
      notify_.stopping();
      context_.stop();
    });
  }

  void hint(Hint hint) {
    strongest_ = std::max(strongest_.value_or(hint), hint);
    pacer_.hint(hint, Clock::now());
    schedule();
  }

  void schedule() {
    timer_.expires_at(std::min(pacer_.wake_at(), pacer_.guards_at()));
    timer_.async_wait([this](error_code error) {
      if (error) return;
      // A hint may have moved the time after this call was already on its way.
      if (Clock::now() >= pacer_.wake_at()) {
        pass();
      } else if (Clock::now() >= pacer_.guards_at()) {
        reconciler_.keep_guards();
        pacer_.guards_were_looked_at(Clock::now());
      }
      schedule();
    });
  }

  void pass() {
    const TimePoint start = Clock::now();
    // inotify tells of every change; a second look at the files is for what it cannot see.
    const bool read_files =
        std::exchange(files_changed_, false) || start >= reading_due_ || !watch_.shortage().empty();
    if (read_files) reading_due_ = start + pace_.interval / 2;
    const std::string_view cause = strongest_ ? cause_of(*strongest_) : without_hint_;
    strongest_.reset();
    without_hint_ = "it was time";
    pacer_.pass_starts(start);
    const Ending ending = reconciler_.pass(read_files, cause);
    if (read_files) watch_what_was_read();
    const TimePoint end = Clock::now();
    pacer_.pass_ends(ending, end, jitter_(random_));
    pacer_.look_at(reconciler_.flap_backoff().next_release(end));
    tell(end - start, cause);
  }

  /// A file that the spec names may have changed before it was watched, so it is read once more.
  /// What could not be watched is tried again.
  void watch_what_was_read() {
    std::set<std::string> names = read_files_.take_names();
    for (const std::string& file : spec::files_of(sources_, read_files_)) names.erase(file);
    const bool is_new = names != watched_;
    const bool was_short = !watch_.shortage().empty();
    if (!is_new && !was_short) return;
    watched_ = std::move(names);
    std::vector<std::string> all = sources_;
    all.insert(all.end(), watched_.begin(), watched_.end());
    watch_.set_sources(std::move(all));
    tell_shortage();
    if (!is_new && !watch_.shortage().empty()) return;
    files_changed_ = true;
    hint(Hint::spec);
  }

  void tell_shortage() {
    const bool is_short = !watch_.shortage().empty();
    if (is_short == std::exchange(told_shortage_, is_short)) return;
    if (is_short) {
      spdlog::error("{}: {}", not_watched, printable(watch_.shortage()));
    } else {
      spdlog::info("no longer: {}", not_watched);
    }
  }

  void tell(Duration took, std::string_view cause) {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    const std::string status = reconciler_.status();
    spdlog::debug("pass ({}) took {} us: {}", cause, micros, status);
    if (reconciler_.converged() && !std::exchange(ready_, true)) {
      spdlog::info("ready: the host is as the spec says");
      notify_.ready();
    }
    if (status != std::exchange(status_, status)) notify_.status(status);
    deliver();
  }

  /// A supervisor that takes nothing now is told later, and not waited for.
  void deliver() {
    if (notify_.deliver()) return;
    notify_timer_.expires_after(std::chrono::milliseconds(250));
    notify_timer_.async_wait([this](error_code error) {
      if (!error) deliver();
    });
  }

  // Watching begins before anything is looked at: what happens in between leads to another look.
  io::Watch watch_;
  io::Events* events_;

  asio::io_context context_{1};
  Readable files_{context_, watch_.fd()};
  Readable kernel_{context_, events_->fd()};
  asio::signal_set signals_{context_, SIGTERM, SIGINT, SIGHUP};
  asio::steady_timer timer_{context_};
  asio::steady_timer notify_timer_{context_};

  const io::Host* host_;
  std::vector<std::string> sources_;
  ReadFiles read_files_;
  std::set<std::string> watched_;  ///< beside the sources

  Pace pace_;
  Pacer pacer_;
  Reconciler reconciler_;
  ServiceNotify notify_;
  std::mt19937 random_{std::random_device{}()};
  std::uniform_real_distribution<> jitter_{-1, 1};

  bool told_shortage_ = false;
  bool files_changed_ = true;  ///< since they were last read
  TimePoint reading_due_;
  std::optional<Hint> strongest_;  ///< since the last pass
  std::string_view without_hint_ = "the start";
  std::string status_;
  bool ready_ = false;
};

}  // namespace

int run(const RunOptions& options, const engine::Context& context, io::Events& events,
        FileReader& files) {
  const Log log(options.log_level, options.colour);
  for (const Diagnostic& warning : options.warnings) spdlog::warn("{}", format(warning));
  // A log whose reader is gone must not end the watch.
  std::signal(SIGPIPE, SIG_IGN);
  Daemon daemon(options, context, events, files);
  return daemon.run();
}

}  // namespace plumbline::daemon

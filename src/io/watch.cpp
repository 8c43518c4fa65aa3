#include "plumbline/io/watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "plumbline/io/host.hpp"

namespace plumbline::io {

namespace {

/// While the sources move faster than they can be followed, the next event continues.
constexpr int most_rounds = 5;

constexpr std::uint32_t mask = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY |
                               IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF |
                               IN_DONT_FOLLOW;

}  // namespace

Watch::Watch() : inotify_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (!inotify_) give_up("cannot watch files", errno);
}

void Watch::set_sources(std::vector<std::string> sources) {
  sources_ = std::move(sources);
  arm();
}

/// What is watched already takes nothing, so all places are tried.
Watch::Watches Watch::add(const WatchedPlaces& places) {
  Watches added;
  shortage_.clear();
  for (const auto& [path, interest] : places) {
    const int watch = inotify_add_watch(inotify_.get(), path.c_str(), mask);
    if (watch < 0) {
      // Others: gone meanwhile, or not for us to read: so it is to who reads the source.
      if (errno == ENOSPC || errno == ENOMEM) {
        shortage_ =
            "cannot watch '" + path + "': " +
            (errno == ENOSPC ? "fs.inotify.max_user_watches is reached" : "no memory for it");
      }
      continue;
    }
    // Two paths may be one directory, through a bind mount.
    Interest& merged = added[watch];
    merged.everything = merged.everything || interest.everything;
    merged.names.insert(interest.names.begin(), interest.names.end());
  }
  return added;
}

void Watch::arm() {
  Watches before = std::move(watches_);
  WatchedPlaces places = watched_places(sources_);
  for (int round = 0; round < most_rounds; ++round) {
    for (auto& [watch, interest] : watches_) before.try_emplace(watch, std::move(interest));
    watches_ = add(places);
    // Looked at again with the watches in place: what moved before them sends no event.
    WatchedPlaces now = watched_places(sources_);
    if (now == places) break;
    places = std::move(now);
  }
  for (const auto& [watch, interest] : before) {
    if (!watches_.contains(watch)) inotify_rm_watch(inotify_.get(), watch);
  }
}

bool Watch::any_matters(const char* events, std::size_t size) const {
  for (std::size_t offset = 0; offset + sizeof(inotify_event) <= size;) {
    inotify_event event{};
    std::memcpy(&event, events + offset, sizeof event);
    const char* name = events + offset + sizeof event;
    offset += sizeof event + event.len;
    if ((event.mask & IN_Q_OVERFLOW) != 0) return true;
    const auto found = watches_.find(event.wd);
    if (found == watches_.end()) continue;
    if (event.len == 0 || found->second.everything) return true;
    if (found->second.names.contains(std::string(name, strnlen(name, event.len)))) return true;
  }
  return false;
}

bool Watch::drain() {
  bool changed = false;
  alignas(inotify_event) std::array<char, 65536> buffer;
  while (true) {
    const ssize_t size = read(inotify_.get(), buffer.data(), buffer.size());
    if (size > 0) {
      changed = changed || any_matters(buffer.data(), static_cast<std::size_t>(size));
    } else if (size < 0 && errno == EAGAIN) {
      break;
    } else if (size == 0 || errno != EINTR) {
      give_up("cannot read file events", errno);
    }
  }
  if (changed) arm();
  return changed;
}

}  // namespace plumbline::io

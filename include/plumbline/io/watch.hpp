// Hints that a spec source may have changed, from inotify.
//
// inotify follows inodes, not names: a file saved by renaming, or a symbolic link turned elsewhere,
// leaves a watch on the old file that never speaks again. So the directories on the way are watched
// for the names that matter in them. What changed is not told: the sources are to be read again.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "plumbline/io/descriptor.hpp"
#include "plumbline/io/watched_places.hpp"

namespace plumbline::io {

class Watch {
 public:
  /// Throws HostError.
  Watch();

  /// Watches these and nothing else: files, or directories with what is in them. They need not
  /// exist yet. Where inotify can take no more, some of them: see shortage().
  void set_sources(std::vector<std::string> sources);

  /// Readable when there is something to drain; non-blocking.
  [[nodiscard]] int fd() const { return inotify_.get(); }
  /// Reads all events and follows the sources to where they are now: what is read after it is not
  /// older than the next hint. Whether any source may have changed. Throws HostError.
  [[nodiscard]] bool drain();
  /// Why not all of the sources are watched; empty when all are. It is tried again with the next
  /// change of what is watched, and by set_sources().
  [[nodiscard]] const std::string& shortage() const { return shortage_; }

 private:
  using Watches = std::map<int, Interest>;  ///< by watch descriptor

  void arm();
  [[nodiscard]] Watches add(const WatchedPlaces& places);
  /// Whether any of the events that one read gave matters.
  [[nodiscard]] bool any_matters(const char* events, std::size_t size) const;

  Descriptor inotify_;
  std::vector<std::string> sources_;
  Watches watches_;
  std::string shortage_;
};

}  // namespace plumbline::io

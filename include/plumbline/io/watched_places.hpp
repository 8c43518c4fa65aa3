// The directories that have a say in what a path means.
//
// Reads the file system and follows symbolic links one by one, as the kernel would; watches nothing
// itself.

#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace plumbline::io {

/// What matters in a directory. A file has `everything`: itself.
struct Interest {
  bool everything = false;
  std::set<std::string> names;

  bool operator==(const Interest&) const = default;
};

/// By absolute path without symbolic links.
using WatchedPlaces = std::map<std::string, Interest>;

/// For each of `paths`: every directory on its way, also through symbolic links, down to where it
/// ends or where it does not exist yet. A directory at the end counts with all that is in it, and
/// with what symbolic links in it lead to. A relative path is one of the current directory.
[[nodiscard]] WatchedPlaces watched_places(const std::vector<std::string>& paths);

}  // namespace plumbline::io

#include "plumbline/io/watched_places.hpp"

#include <deque>
#include <filesystem>
#include <system_error>

namespace plumbline::io {

namespace {

namespace fs = std::filesystem;

/// As many as the kernel follows on one path (MAXSYMLINKS in include/linux/namei.h).
constexpr int most_links = 40;
/// Symbolic links that are followed in one directory; it may be one of anything.
constexpr int most_entries = 1000;

class Walk {
 public:
  explicit Walk(WatchedPlaces& places) : places_(&places) {}

  /// Where the path leads to, when that is a directory; else empty.
  fs::path follow(const fs::path& path) {
    rest_.clear();
    prepend(path);
    here_ = "/";
    links_ = 0;
    while (!rest_.empty()) {
      if (!step()) return {};
    }
    return here_;
  }

 private:
  void prepend(const fs::path& path) {
    const fs::path relative = path.relative_path();
    rest_.insert(rest_.begin(), relative.begin(), relative.end());
  }

  /// Goes one component on. False where the way ends.
  bool step() {
    const fs::path part = rest_.front();
    rest_.pop_front();
    if (part.empty() || part == ".") return true;
    if (part == "..") {
      here_ = here_.parent_path();
      return true;
    }
    (*places_)[here_.string()].names.insert(part.string());
    const fs::path next = here_ / part;
    std::error_code error;
    const auto status = fs::symlink_status(next, error);
    if (fs::is_symlink(status)) return step_through(next);
    if (fs::is_directory(status)) {
      here_ = next;
      return true;
    }
    // The file itself too: it may be changed through a hard link or a bind mount elsewhere.
    if (fs::is_regular_file(status)) (*places_)[next.string()].everything = true;
    return false;
  }

  bool step_through(const fs::path& link) {
    std::error_code error;
    const fs::path target = fs::read_symlink(link, error);
    if (error || ++links_ > most_links) return false;
    prepend(target);
    if (target.is_absolute()) here_ = "/";
    return true;
  }

  WatchedPlaces* places_;
  std::deque<fs::path> rest_;
  fs::path here_;
  int links_ = 0;
};

void follow_entries(const fs::path& directory, Walk& walk) {
  std::error_code error;
  int left = most_entries;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unknown;
    if (!entry->is_symlink(unknown)) continue;
    static_cast<void>(walk.follow(entry->path()));
    if (--left == 0) return;
  }
}

}  // namespace

WatchedPlaces watched_places(const std::vector<std::string>& paths) {
  WatchedPlaces places;
  Walk walk(places);
  for (const auto& path : paths) {
    std::error_code error;
    const fs::path absolute = fs::absolute(path, error);
    if (error || path.empty()) continue;
    const fs::path directory = walk.follow(absolute);
    if (directory.empty()) continue;
    places[directory.string()].everything = true;
    follow_entries(directory, walk);
  }
  return places;
}

}  // namespace plumbline::io

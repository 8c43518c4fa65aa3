#include "plumbline/io/watch.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "plumbline/io/host.hpp"

namespace plumbline::io {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& text = "x") {
  std::ofstream(path, std::ios::trunc) << text;
}

/// What a step makes the watch say. Whatever belongs to the step has happened when it returns.
bool hints(Watch& watch) {
  pollfd watched{watch.fd(), POLLIN, 0};
  return poll(&watched, 1, 100) == 1 && watch.drain();
}

class Watches : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "plumbline-watch-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = fs::canonical(pattern);
  }
  void TearDown() override { fs::remove_all(root_); }

  [[nodiscard]] fs::path at(const std::string& path) const { return root_ / path; }
  void watch(const std::string& path) { watch_.set_sources({at(path)}); }

  fs::path root_;
  Watch watch_;
};

TEST_F(Watches, NothingIsSaidOfNothing) {
  write(at("spec"));
  watch("spec");
  EXPECT_FALSE(hints(watch_));
  std::ifstream(at("spec")).get();
  write(at("other"));
  EXPECT_FALSE(hints(watch_));
}

TEST_F(Watches, AFileWrittenInPlace) {
  write(at("spec"));
  watch("spec");
  for (int again = 0; again < 3; ++again) {
    write(at("spec"), "y");
    EXPECT_TRUE(hints(watch_)) << again;
  }
}

TEST_F(Watches, AFileSavedByRenamingAgainAndAgain) {
  write(at("spec"));
  watch("spec");
  for (int again = 0; again < 3; ++again) {
    write(at("new"));
    EXPECT_FALSE(hints(watch_)) << again;
    fs::rename(at("new"), at("spec"));
    EXPECT_TRUE(hints(watch_)) << again;
    write(at("spec"), "in place");
    EXPECT_TRUE(hints(watch_)) << again;
  }
}

TEST_F(Watches, AFileDeletedAndMadeAgain) {
  write(at("spec"));
  watch("spec");
  for (int again = 0; again < 3; ++again) {
    fs::remove(at("spec"));
    EXPECT_TRUE(hints(watch_));
    write(at("spec"));
    EXPECT_TRUE(hints(watch_));
  }
}

TEST_F(Watches, AFileThatDoesNotExistYetNorItsDirectories) {
  watch("a/b/spec");
  fs::create_directory(at("a"));
  EXPECT_TRUE(hints(watch_));
  fs::create_directory(at("a/b"));
  EXPECT_TRUE(hints(watch_));
  write(at("a/b/spec"));
  EXPECT_TRUE(hints(watch_));
}

TEST_F(Watches, DirectoriesAboveRenamedAway) {
  fs::create_directories(at("a/b/c"));
  write(at("a/b/c/spec"));
  watch("a/b/c/spec");
  fs::rename(at("a"), at("old"));
  EXPECT_TRUE(hints(watch_));
  write(at("old/b/c/spec"), "no longer ours");
  EXPECT_FALSE(hints(watch_));
  fs::create_directories(at("a/b/c"));
  EXPECT_TRUE(hints(watch_));
  write(at("a/b/c/spec"));
  EXPECT_TRUE(hints(watch_));
}

/// As the kubelet writes a ConfigMap: spec -> ..data/spec, ..data -> ..1, renamed over.
TEST_F(Watches, AConfigMapThatIsSwapped) {
  fs::create_directory(at("map"));
  for (const char* version : {"map/..1", "map/..2", "map/..3"}) {
    fs::create_directory(at(version));
    write(at(version) / "spec");
  }
  fs::create_symlink("..1", at("map/..data"));
  fs::create_symlink("..data/spec", at("map/spec"));
  fs::create_symlink(at("map/spec"), at("link"));
  watch("link");
  for (const char* version : {"..2", "..3", "..1"}) {
    fs::create_symlink(version, at("map/..tmp"));
    EXPECT_FALSE(hints(watch_)) << version;
    fs::rename(at("map/..tmp"), at("map/..data"));
    EXPECT_TRUE(hints(watch_)) << version;
    write(at("map") / version / "spec", "in place");
    EXPECT_TRUE(hints(watch_)) << version;
  }
  write(at("map/..2/spec"), "an old one");
  EXPECT_FALSE(hints(watch_));
  fs::create_symlink(at("map/..2/spec"), at("link2"));
  fs::rename(at("link2"), at("link"));
  EXPECT_TRUE(hints(watch_));
  write(at("map/..2/spec"), "ours now");
  EXPECT_TRUE(hints(watch_));
}

TEST_F(Watches, ADirectoryOfDropIns) {
  fs::create_directory(at("d"));
  write(at("d/10.json"));
  write(at("elsewhere"));
  watch("d");
  write(at("d/20.json"));
  EXPECT_TRUE(hints(watch_));
  write(at("d/10.json"), "y");
  EXPECT_TRUE(hints(watch_));
  fs::remove(at("d/10.json"));
  EXPECT_TRUE(hints(watch_));
  fs::create_symlink(at("elsewhere"), at("d/30.json"));
  EXPECT_TRUE(hints(watch_));
  write(at("elsewhere"), "through the link");
  EXPECT_TRUE(hints(watch_));
  fs::remove(at("d/30.json"));
  EXPECT_TRUE(hints(watch_));
  write(at("elsewhere"), "nobody's");
  EXPECT_FALSE(hints(watch_));
  fs::remove_all(at("d"));
  EXPECT_TRUE(hints(watch_));
  fs::create_directory(at("d"));
  EXPECT_TRUE(hints(watch_));
  write(at("d/40.json"));
  EXPECT_TRUE(hints(watch_));
}

TEST_F(Watches, AFileChangedThroughAHardLink) {
  write(at("spec"));
  fs::create_directory(at("elsewhere"));
  fs::create_hard_link(at("spec"), at("elsewhere/name"));
  watch("spec");
  write(at("elsewhere/name"), "y");
  EXPECT_TRUE(hints(watch_));
}

TEST_F(Watches, AFileMadeReadable) {
  write(at("spec"));
  watch("spec");
  ASSERT_EQ(chmod(at("spec").c_str(), 0640), 0);
  EXPECT_TRUE(hints(watch_));
}

TEST_F(Watches, OnlyTheSourcesOfTheLastCall) {
  write(at("one"));
  write(at("two"));
  watch("one");
  watch("two");
  watch("two");
  write(at("one"), "y");
  EXPECT_FALSE(hints(watch_));
  write(at("two"), "y");
  EXPECT_TRUE(hints(watch_));
}

TEST_F(Watches, WatchesThatAreNeededNoMoreAreGivenBack) {
  const auto watches = [this] {
    std::ifstream lines("/proc/self/fdinfo/" + std::to_string(watch_.fd()));
    int count = 0;
    for (std::string line; std::getline(lines, line);) count += line.starts_with("inotify") ? 1 : 0;
    return count;
  };
  write(at("spec"));
  watch("spec");
  const int before = watches();
  EXPECT_GT(before, 1);
  fs::create_directories(at("a/b"));
  watch("a/b/spec");
  watch("spec");
  EXPECT_EQ(watches(), before);
}

TEST_F(Watches, LinksInACircleAndOddPathsAreSurvived) {
  fs::create_symlink("b", at("a"));
  fs::create_symlink("a", at("b"));
  fs::create_symlink("loop", at("loop"));
  write(at("file"));
  watch_.set_sources(
      {at("a"), at("loop/x"), at("file/x"), "", "/", at("a/../file"), "/proc/self/fd"});
  static_cast<void>(hints(watch_));
  watch("a");
  fs::remove(at("b"));
  EXPECT_TRUE(hints(watch_));
  write(at("b"));
  EXPECT_TRUE(hints(watch_));
}

TEST_F(Watches, ARelativePathIsOfTheCurrentDirectory) {
  const fs::path before = fs::current_path();
  fs::current_path(root_);
  watch_.set_sources({"spec"});
  write("spec");
  EXPECT_TRUE(hints(watch_));
  fs::current_path(before);
}

TEST_F(Watches, EventsThatTheKernelHadToDropAreAHint) {
  fs::create_directory(at("d"));
  write(at("spec"));
  watch("spec");
  std::size_t most = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> most;
  if (most == 0 || most > 200'000) GTEST_SKIP() << "the queue is too long to fill";
  for (std::size_t name = 0; name <= most / 3; ++name) {  // an event for each of make, write, close
    write(at("n" + std::to_string(name)));
  }
  write(at("spec"), "y");
  EXPECT_TRUE(hints(watch_));
}

}  // namespace
}  // namespace plumbline::io

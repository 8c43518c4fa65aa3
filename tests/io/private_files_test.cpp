// Files that only we read and write, in a directory of the test's own.

#include "plumbline/io/private_files.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <vector>

#include "tests/support/small_disk.hpp"

namespace plumbline::io {

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Optional;

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
}

class PrivateFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "plumbline-private-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { fs::remove_all(root_); }

  [[nodiscard]] fs::path path() const { return root_ / "above" / "files"; }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path())) {
      names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
  }

 private:
  fs::path root_;
};

TEST_F(PrivateFiles, AreReadAsTheyWereWritten) {
  EXPECT_FALSE(PrivateDirectory::open(path()));
  const auto directory = std::optional(PrivateDirectory::make(path()));
  EXPECT_TRUE(PrivateDirectory::open(path()));
  const std::string content(300'000, '\0');
  EXPECT_TRUE(directory->write("one", content));
  EXPECT_TRUE(directory->write("two", "2"));
  EXPECT_TRUE(directory->write("two", ""));
  EXPECT_THAT(directory->read("one", content.size()).content, Optional(content));
  EXPECT_THAT(directory->read("one", content.size() - 1).fault, HasSubstr("too large"));
  EXPECT_THAT(directory->read("two", 10).content, Optional(std::string()));
  EXPECT_FALSE(directory->read("three", 10).content);
  EXPECT_EQ(directory->read("three", 10).fault, "");
  EXPECT_FALSE(directory->write("no/such", "x"));
  EXPECT_THAT(names(), testing::ElementsAre("one", "two"));
}

TEST_F(PrivateFiles, TheLongestUnusedAreRemoved) {
  const auto directory = std::optional(PrivateDirectory::make(path()));
  for (const char* const name : {"a", "b", "c", "d"}) {
    ASSERT_TRUE(directory->write(name, std::string(100, 'x')));
  }
  timespec long_ago[2] = {{1000, 0}, {1000, 0}};
  for (const char* const name : {"d", "c", "b", "a"}) {
    ++long_ago[1].tv_sec;
    ASSERT_EQ(utimensat(AT_FDCWD, (path() / name).c_str(), long_ago, 0), 0);
  }
  EXPECT_TRUE(directory->read("d", 100).content);  // Used just now.
  directory->keep(3, 1'000);
  EXPECT_THAT(names(), testing::ElementsAre("a", "b", "d"));
  directory->keep(10, 250);
  EXPECT_THAT(names(), testing::ElementsAre("a", "d"));
}

TEST_F(PrivateFiles, WhatIsReadIsWhatSomebodyWrote) {
  const auto make = [&](char c) { return std::string(200'000, c); };
  ASSERT_TRUE(PrivateDirectory::make(path()).write("file", make('a')));
  std::vector<pid_t> writers;
  for (const char c : {'a', 'b', 'c'}) {
    const pid_t pid = fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      const auto directory = PrivateDirectory::open(path());
      bool good = directory.has_value();
      for (int i = 0; i < 100; ++i) good = good && directory->write("file", make(c));
      _exit(good ? 0 : 1);
    }
    writers.push_back(pid);
  }
  const auto directory = PrivateDirectory::open(path());
  for (int i = 0; i < 200; ++i) {
    const auto content = directory->read("file", 1'000'000).content;
    ASSERT_TRUE(content);
    ASSERT_EQ(*content, make(content->front()));
  }
  for (const pid_t writer : writers) {
    int status = -1;
    ASSERT_EQ(waitpid(writer, &status, 0), writer);
    EXPECT_EQ(status, 0);
  }
}

TEST_F(PrivateFiles, AreMadeForUsAloneWhateverTheUmask) {
  for (const mode_t mask : {0000U, 0022U, 0777U}) {
    const fs::path there = path() / std::to_string(mask) / "files";
    fs::create_directories(there.parent_path().parent_path());
    const mode_t before = umask(mask);
    const auto directory = std::optional(PrivateDirectory::make(there));
    EXPECT_TRUE(directory->write("file", "x"));
    EXPECT_TRUE(directory->lock_file("lock"));
    umask(before);
    EXPECT_EQ(mode_of(there.parent_path()), 0700U) << mask;
    EXPECT_EQ(mode_of(there), 0700U) << mask;
    EXPECT_EQ(mode_of(there / "file"), 0600U) << mask;
  }
}

TEST_F(PrivateFiles, AreNotUsedWhereTheDirectoryIsNotOursAlone) {
  const auto refused = [&](const std::function<void(const fs::path&)>& spoil) {
    for (const fs::path& spoilt : {path(), path().parent_path()}) {
      fs::remove_all(path().parent_path());
      static_cast<void>(PrivateDirectory::make(path()));
      spoil(spoilt);
      EXPECT_THROW(static_cast<void>(PrivateDirectory::open(path())), NotPrivate) << spoilt;
      EXPECT_THROW(static_cast<void>(PrivateDirectory::make(path())), NotPrivate) << spoilt;
    }
  };
  refused([](const fs::path& at) { ASSERT_EQ(chown(at.c_str(), 65534, 65534), 0); });
  refused([](const fs::path& at) { ASSERT_EQ(chmod(at.c_str(), 0770), 0); });
  refused([](const fs::path& at) { ASSERT_EQ(chmod(at.c_str(), 0702), 0); });
  refused([](const fs::path& at) {
    fs::rename(at, at.string() + "-elsewhere");
    fs::create_directory_symlink(at.string() + "-elsewhere", at);
  });
  refused([](const fs::path& at) {
    fs::remove_all(at);
    ASSERT_EQ(mkfifo(at.c_str(), 0700), 0);
  });
  refused([](const fs::path& at) {
    fs::remove_all(at);
    fs::create_symlink("/nowhere/at/all", at);
  });
}

TEST_F(PrivateFiles, AreUsedInADirectoryThatOthersMayRead) {
  static_cast<void>(PrivateDirectory::make(path()));
  fs::permissions(path().parent_path(), fs::perms(0755));
  EXPECT_TRUE(PrivateDirectory::make(path()).write("file", "x"));
}

TEST_F(PrivateFiles, AreNotBelievedWhereAFileIsNotOursAlone) {
  const auto directory = std::optional(PrivateDirectory::make(path()));
  const auto refused = [&](const std::function<void(const char*)>& spoil) {
    ASSERT_TRUE(directory->write("file", "content"));
    spoil((path() / "file").c_str());
    EXPECT_FALSE(directory->read("file", 100).content);
    EXPECT_THAT(directory->read("file", 100).fault, HasSubstr("/file: "));
    EXPECT_THROW(static_cast<void>(directory->lock_file("file")), NotPrivate);
    EXPECT_THAT(directory->put_aside("file"), HasSubstr("/file.kept-"));
  };
  refused([](const char* file) { ASSERT_EQ(chown(file, 65534, 65534), 0); });
  refused([](const char* file) { ASSERT_EQ(chmod(file, 0606), 0); });
  refused([](const char* file) { fs::create_hard_link(file, std::string(file) + "-too"); });
  refused([](const char* file) {
    fs::rename(file, std::string(file) + "-elsewhere");
    fs::create_symlink(std::string(file) + "-elsewhere", file);
  });
  refused([](const char* file) {
    fs::remove(file);
    ASSERT_EQ(mkfifo(file, 0600), 0);
  });
  refused([](const char* file) {
    fs::remove(file);
    fs::create_directory(file);
  });
  EXPECT_EQ(directory->put_aside("file"), "") << "nothing is there";
}

TEST_F(PrivateFiles, TakeRoomForWhatIsNotKnownYet) {
  const auto directory = std::optional(PrivateDirectory::make(path()));
  const test::SmallDisk disk(path(), std::size_t{64} * 1024);
  if (!disk.is_mounted()) GTEST_SKIP() << "nothing can be mounted here";
  const auto full = std::optional(PrivateDirectory::make(path()));
  {
    Draft draft = full->draft("file", 30'000);
    disk.fill();
    draft.write(std::string(10'000, 'a'));
    draft.write(std::string(30'000, 'b'));
    EXPECT_FALSE(full->write("other", std::string(10'000, 'c')));
    draft.put_in_place();
  }
  EXPECT_THAT(full->read("file", 100'000).content, Optional(std::string(30'000, 'b')));
  EXPECT_THAT(names(), testing::ElementsAre("file", "rest"));
  EXPECT_THROW(static_cast<void>(full->draft("file", 30'000)), HostError);
  EXPECT_THAT(full->read("file", 100'000).content, Optional(std::string(30'000, 'b')));
  EXPECT_THAT(names(), testing::ElementsAre("file", "rest"));
}

TEST_F(PrivateFiles, OfWhichNothingIsLeftWhenADraftIsNotPutInPlace) {
  const auto directory = std::optional(PrivateDirectory::make(path()));
  ASSERT_TRUE(directory->write("file", "as it was"));
  {
    Draft draft = directory->draft("file", 100);
    draft.write("another");
    EXPECT_EQ(names().size(), 2U);
  }
  EXPECT_THAT(names(), testing::ElementsAre("file"));
  EXPECT_THAT(directory->read("file", 100).content, Optional(std::string("as it was")));
  std::ofstream(path() / "file.12345.new") << "of one that was killed";
  std::ofstream(path() / "file.kept-1") << "of somebody";
  directory->remove_drafts("file");
  EXPECT_THAT(names(), testing::ElementsAre("file", "file.kept-1"));
}

TEST_F(PrivateFiles, AreClosedToOthersWhereTheDirectoryIsOurs) {
  static_cast<void>(PrivateDirectory::make(path()));
  EXPECT_EQ(close_to_others(path()), "");
  ASSERT_EQ(chmod(path().c_str(), 01777), 0);
  EXPECT_THAT(close_to_others(path()), HasSubstr("mode 1777"));
  EXPECT_EQ(mode_of(path()), 0700U);
  ASSERT_EQ(chown(path().c_str(), 65534, 65534), 0);
  ASSERT_EQ(chmod(path().c_str(), 0777), 0);
  EXPECT_EQ(close_to_others(path()), "");
  EXPECT_EQ(mode_of(path()), 0777U) << "it is somebody else's";
}

}  // namespace

}  // namespace plumbline::io

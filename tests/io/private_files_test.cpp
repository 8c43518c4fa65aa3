// Files that only we read and write, in a directory of the test's own.

#include "plumbline/io/private_files.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace plumbline::io {

namespace {

namespace fs = std::filesystem;
using testing::Optional;

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
  const auto directory = PrivateDirectory::make(path());
  ASSERT_TRUE(directory);
  EXPECT_TRUE(PrivateDirectory::make(path()));
  const std::string content(300'000, '\0');
  EXPECT_TRUE(directory->write("one", content));
  EXPECT_TRUE(directory->write("two", "2"));
  EXPECT_TRUE(directory->write("two", ""));
  EXPECT_THAT(directory->read("one", content.size()), Optional(content));
  EXPECT_FALSE(directory->read("one", content.size() - 1));
  EXPECT_THAT(directory->read("two", 10), Optional(std::string()));
  EXPECT_FALSE(directory->read("three", 10));
  EXPECT_FALSE(directory->write("no/such", "x"));
  EXPECT_THAT(names(), testing::ElementsAre("one", "two"));
}

TEST_F(PrivateFiles, TheLongestUnusedAreRemoved) {
  const auto directory = PrivateDirectory::make(path());
  ASSERT_TRUE(directory);
  for (const char* const name : {"a", "b", "c", "d"}) {
    ASSERT_TRUE(directory->write(name, std::string(100, 'x')));
  }
  timespec long_ago[2] = {{1000, 0}, {1000, 0}};
  for (const char* const name : {"d", "c", "b", "a"}) {
    ++long_ago[1].tv_sec;
    ASSERT_EQ(utimensat(AT_FDCWD, (path() / name).c_str(), long_ago, 0), 0);
  }
  EXPECT_TRUE(directory->read("d", 100));  // Used just now.
  directory->keep(3, 1'000);
  EXPECT_THAT(names(), testing::ElementsAre("a", "b", "d"));
  directory->keep(10, 250);
  EXPECT_THAT(names(), testing::ElementsAre("a", "d"));
}

TEST_F(PrivateFiles, WhatIsReadIsWhatSomebodyWrote) {
  const auto make = [&](char c) { return std::string(200'000, c); };
  ASSERT_TRUE(PrivateDirectory::make(path())->write("file", make('a')));
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
    const auto content = directory->read("file", 1'000'000);
    ASSERT_TRUE(content);
    ASSERT_EQ(*content, make(content->front()));
  }
  for (const pid_t writer : writers) {
    int status = -1;
    ASSERT_EQ(waitpid(writer, &status, 0), writer);
    EXPECT_EQ(status, 0);
  }
}

}  // namespace

}  // namespace plumbline::io

// What a process leaves for the next one, and what becomes of it when somebody meddles.

#include <gmock/gmock.h>
#include <rapidcheck.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <thread>

#include "plumbline/base/digest.hpp"
#include "plumbline/base/sha256.hpp"
#include "src/firewall/compile/cache.hpp"
#include "tests/firewall/compiling.hpp"
#include "tests/support/covered.hpp"

namespace plumbline::engine {

namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class CompileCacheTest : public Compiling {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "plumbline-compiled-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    Compiling::SetUp();
  }
  void TearDown() override {
    Compiling::TearDown();
    fs::remove_all(root_);
  }

  [[nodiscard]] fs::path cache() const { return root_ / "compiled"; }
  void start_anew() { start(cache()); }

  void want_all(const std::string& last = "-s 10.0.0.4 -j LOG") {
    want_nothing();
    want("APP", {"-s 10.0.0.1 -j ACCEPT", "-s 10.0.0.2,10.0.0.3 -j DROP", last});
    want("SETS", {"-m set --match-set one src -m set --match-set two dst -j DROP", "-j NOT-YET"});
    want_shared("INPUT", {"-p tcp ! --dport 0:65535 -j APP"}, {"-j LOG", "-j RETURN"});
    want("APP", {"-d fd00::1 -j DROP"}, "mangle", Family::inet6);
  }

  std::vector<fs::path> files() const {
    std::error_code none;
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(cache(), none)) files.push_back(entry.path());
    return files;
  }

  /// Compiles with what is in the files, and says whether that was enough: then nothing is loaded.
  bool is_hit() {
    start_anew();
    const State state = compile();
    EXPECT_THAT(errors(), IsEmpty());
    EXPECT_THAT(diagnostics_.warnings, SizeIs(1));
    if (first_) {
      EXPECT_EQ(state, *first_);
    }
    first_ = state;
    return loaded() == 0 && loaded(Family::inet6) == 0;
  }

 private:
  fs::path root_;
  std::optional<State> first_;
};

INSTANTIATE_TEST_SUITE_P(Backends, CompileCacheTest, both_backends, backend_name);

TEST_P(CompileCacheTest, TheNextProcessStartsNoProgram) {
  want_all();
  EXPECT_FALSE(is_hit());
  EXPECT_THAT(files(), SizeIs(2));
  EXPECT_TRUE(is_hit());
  EXPECT_TRUE(is_hit());
  struct stat status {};
  ASSERT_EQ(stat(cache().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
  ASSERT_EQ(stat(files().front().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_P(CompileCacheTest, TheNextProcessCompilesOnlyWhatChanged) {
  want_all();
  start_anew();
  compile();
  want_all("-s 10.0.0.5 -j LOG");
  start_anew();
  const State state = compile();
  EXPECT_THAT(rules_of(state, "APP").back(), "-s 10.0.0.5/32 -j LOG");
  if (uses_nft()) {  // With the jump that leads there.
    EXPECT_EQ(loaded(), 2);
  }
  EXPECT_EQ(loaded(Family::inet6), 0);
  // It leaves all of it.
  start_anew();
  EXPECT_EQ(compile(), state);
  EXPECT_EQ(loaded(), 0);
}

TEST_P(CompileCacheTest, WhatIsRefusedIsNotKept) {
  want("APP", {"-j LOG", "--frobnicate"});
  start_anew();
  compile();
  EXPECT_THAT(errors(), SizeIs(1));
  start_anew();
  compile();
  EXPECT_THAT(errors(), SizeIs(1));
  EXPECT_THAT(files(), IsEmpty());
}

TEST_P(CompileCacheTest, AnotherNameDatabaseIsAnotherFile) {
  const std::string services = testing::TempDir() + "plumbline-services-of-cache";
  const auto write = [&](const std::string& text) { std::ofstream(services) << text; };
  write("plumb 4242/tcp\n");
  const auto covered = test::Covered::if_allowed(services, "/etc/services");
  if (!covered) GTEST_SKIP() << "nothing can be mounted here";
  want("APP", {"-p tcp --dport plumb -j DROP"});
  start_anew();
  EXPECT_THAT(rules_of(compile(), "APP"), ElementsAre("-p tcp -m tcp --dport 4242 -j DROP"));
  write("plumb 43434/tcp\n");
  start_anew();
  EXPECT_THAT(rules_of(compile(), "APP"), ElementsAre("-p tcp -m tcp --dport 43434 -j DROP"));
}

TEST_P(CompileCacheTest, WhatSomebodyElseMayHaveWrittenIsNotRead) {
  want_all();
  EXPECT_FALSE(is_hit());
  const auto spoil = [&](const auto& how) {
    for (const fs::path& file : files()) how(file.c_str());
    EXPECT_FALSE(is_hit());
    EXPECT_TRUE(is_hit()) << "it was written anew";
  };
  spoil([](const char* file) { ASSERT_EQ(chown(file, 65534, 65534), 0); });
  spoil([](const char* file) { ASSERT_EQ(chmod(file, 0660), 0); });
  spoil([](const char* file) { ASSERT_EQ(chmod(file, 0606), 0); });
  spoil([](const char* file) {
    fs::rename(file, std::string(file) + ".aside");
    fs::create_symlink(std::string(file) + ".aside", file);
  });
  spoil([](const char* file) {
    fs::remove(file);
    ASSERT_EQ(mkfifo(file, 0600), 0);
  });
  ASSERT_EQ(chmod(cache().c_str(), 0777), 0);
  EXPECT_FALSE(is_hit());
  ASSERT_EQ(chmod(cache().c_str(), 0700), 0);
  ASSERT_EQ(chown(cache().c_str(), 65534, 65534), 0);
  EXPECT_FALSE(is_hit());
}

TEST_P(CompileCacheTest, WithoutADirectoryRulesAreCompiledAllTheSame) {
  want_all();
  std::ofstream(cache().string()) << "a file";
  EXPECT_FALSE(is_hit());
  EXPECT_FALSE(is_hit());
}

TEST_P(CompileCacheTest, FilesThatAreBrokenAreReplaced) {
  want_all();
  EXPECT_FALSE(is_hit());
  for (const fs::path& file : files()) fs::resize_file(file, fs::file_size(file) / 2);
  EXPECT_FALSE(is_hit());
  EXPECT_TRUE(is_hit());
  for (const fs::path& file : files()) {
    std::fstream stream(file);
    stream.seekp(static_cast<std::streamoff>(fs::file_size(file) / 2));
    stream << "something else";
  }
  EXPECT_FALSE(is_hit());
  EXPECT_TRUE(is_hit());
}

/// The bytes of a file, as one is written here.
class CompileFileTest : public CompileCacheTest {
 protected:
  static std::string content_of(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  /// What is behind the words that name the format, and the checksum.
  static constexpr std::size_t head = std::string_view("plumbline compiled 2\n").size() + 8;

  static std::string key_in(const std::string& content) {
    std::uint32_t size = 0;
    std::memcpy(&size, content.data() + head, sizeof size);
    return content.substr(head + sizeof size, size);
  }
  static void correct(std::string& content) {
    const std::uint64_t sum = Digest().add_block(std::string_view(content).substr(head)).value();
    std::memcpy(content.data() + head - sizeof sum, &sum, sizeof sum);
  }

  /// With the larger of the files.
  std::string written() {
    want_all();
    start_anew();
    compile();
    compiler_.reset();
    auto paths = files();
    if (paths.empty()) return {};
    return content_of(
        *std::ranges::max_element(paths, {}, [](const fs::path& path) { return file_size(path); }));
  }
};

INSTANTIATE_TEST_SUITE_P(Backends, CompileFileTest, both_backends, backend_name);

TEST_P(CompileFileTest, IsReadAsItWasWritten) {
  const std::string content = written();
  const auto known = firewall::from_file(content, key_in(content), uses_nft());
  ASSERT_TRUE(known);
  EXPECT_EQ(firewall::to_file(*known), content);
  EXPECT_FALSE(firewall::from_file(content, key_in(content) + "\n", uses_nft()));
  EXPECT_FALSE(firewall::from_file(content, key_in(content), !uses_nft()));
}

/// std::hash of another C++ library may be another.
TEST_P(CompileFileTest, IsCalledAndCheckedAlikeByEveryBuild) {
  const std::string content = written();
  std::string corrected = content;
  correct(corrected);
  EXPECT_EQ(corrected, content);
  EXPECT_TRUE(fs::exists(cache() / sha256_hex(key_in(content), 16)));
}

TEST_P(CompileFileTest, NoPartAndNoOtherBytesAreTakenForIt) {
  const std::string content = written();
  const std::string key = key_in(content);
  for (std::size_t size = 0; size < content.size(); ++size) {
    EXPECT_FALSE(firewall::from_file(content.substr(0, size), key, uses_nft())) << size;
  }
  EXPECT_FALSE(firewall::from_file(content + '\0', key, uses_nft()));
  for (std::size_t at = 0; at < content.size(); ++at) {
    std::string other = content;
    other[at] = static_cast<char>(other[at] ^ 1);
    EXPECT_FALSE(firewall::from_file(other, key, uses_nft())) << at;
  }
}

/// Even where the checksum says otherwise: it ends as no file or as one that can be written again.
TEST_P(CompileFileTest, NothingInItIsBelieved) {
  const std::string content = written();
  const std::string key = key_in(content);
  for (std::size_t size = head; size < content.size(); ++size) {
    std::string part = content.substr(0, size);
    correct(part);
    EXPECT_FALSE(firewall::from_file(part, key, uses_nft())) << size;
  }
  EXPECT_TRUE(rc::check("any bytes", [&] {
    std::string other = content;
    const auto edits = *rc::gen::inRange(1, 6);
    for (int i = 0; i < edits; ++i) {
      const auto at = *rc::gen::inRange<std::size_t>(head + 4 + key.size(), other.size());
      other[at] = *rc::gen::element('\0', '\1', '\xff', '\x7f', *rc::gen::arbitrary<char>());
    }
    correct(other);
    const auto known = firewall::from_file(other, key, uses_nft());
    if (known) RC_ASSERT(firewall::to_file(*known).size() <= other.size());
  }));
}

TEST_P(CompileCacheTest, ManyProcessesMayWriteAtATime) {
  want_all();
  EXPECT_FALSE(is_hit());
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([this] {
      io::ScratchHost scratch(GetParam());
      for (int turn = 0; turn < 5; ++turn) {
        // Rules that change from turn to turn, so that each has to write.
        firewall::IptablesCompiler compiler(scratch, cache());
        spec::Desired desired = wanted();
        Diagnostics diagnostics;
        compiler.compile(desired, {}, diagnostics);
        EXPECT_TRUE(diagnostics.errors.empty());
        if (turn % 2 == 0) {
          for (const fs::path& file : files()) fs::remove(file);
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  is_hit();
  EXPECT_TRUE(is_hit());
}

}  // namespace

}  // namespace plumbline::engine

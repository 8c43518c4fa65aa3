// Which files are read, and which are refused: real ones, in a directory of the test's own.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "plumbline/io/files.hpp"
#include "tests/spec/loaded.hpp"

namespace plumbline::spec {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace {

const std::string empty_spec = "{\"version\": 1}";

class SpecFiles : public ::testing::Test {
 protected:
  SpecFiles() {
    std::string pattern = ::testing::TempDir() + "plumbline-spec-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~SpecFiles() override { std::filesystem::remove_all(path_); }

  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text = empty_spec) const {
    std::ofstream(path(name)) << text;
    return path(name);
  }
  Loaded load_from(const std::vector<std::string>& sources) { return load_with(files_, sources); }

  std::string path_;
  io::Files files_;
};

/// Puts a descriptor in the place of standard input for as long as it lives.
class StandardInput {
 public:
  explicit StandardInput(int descriptor) : saved_(::dup(STDIN_FILENO)) {
    ::dup2(descriptor, STDIN_FILENO);
    ::close(descriptor);
  }
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;
  ~StandardInput() {
    ::dup2(saved_, STDIN_FILENO);
    ::close(saved_);
  }

 private:
  int saved_;
};

}  // namespace

TEST_F(SpecFiles, OfADirectoryAreReadByNameWithoutWhatIsNoSpec) {
  for (const char* name :
       {"b.json", "a.jsonc", "B.json", "10.json", "9.yaml", ".hidden.json", "a.json~", "#a.json#",
        "a.json.bak", ".#a.json", "README.md", "json", "a.json.swp", "a.JSON"}) {
    write(name);
  }
  std::filesystem::create_directory(path("sub"));
  EXPECT_THAT(files_of({path_}, files_),
              ElementsAre(path("10.json"), path("9.yaml"), path("B.json"), path("a.jsonc"),
                          path("b.json")));
  EXPECT_EQ(files_of({path_ + "/"}, files_).size(), 5U);
}

TEST_F(SpecFiles, GivenTwiceAreReadOnce) {
  const auto file = write("a.json");
  EXPECT_THAT(files_of({file, path_, file, "-", "-"}, files_), ElementsAre(file, "-"));
}

TEST_F(SpecFiles, AreNeverSkippedForBeingYaml) {
  write("a.json");
  write("b.yaml", "version: 1\n");
  write("c.yml", "version: 1\n");
  EXPECT_THAT(load_from({path_}).errors, ElementsAre(HasSubstr("b.yaml:1:1: UNSUPPORTED_FORMAT"),
                                                     HasSubstr("c.yml:1:1: UNSUPPORTED_FORMAT")));
}

TEST_F(SpecFiles, GivenByNameNeedASuffixWeKnow) {
  EXPECT_THAT(load_from({write("a.toml"), write("spec")}).errors,
              ElementsAre(HasSubstr("a.toml:1:1: UNSUPPORTED_FORMAT"),
                          HasSubstr("spec:1:1: UNSUPPORTED_FORMAT")));
  EXPECT_THAT(load_from({write(".hidden.json")}).errors, IsEmpty());
}

TEST_F(SpecFiles, WithoutContentAreEmptySpecs) {
  for (const char* text : {"", "\n", "// nothing\n/* yet */", "\xef\xbb\xbf"}) {
    EXPECT_THAT(load_from({write("a.json", text)}).errors,
                ElementsAre(HasSubstr("a.json:1:1: EMPTY_SPEC")));
  }
  write("b.json");
  EXPECT_THAT(load_from({path_}).errors, ElementsAre(HasSubstr("EMPTY_SPEC")))
      << "a file half written must not pass for one that wants nothing";
}

TEST_F(SpecFiles, MustBeThere) {
  EXPECT_THAT(load_from({path_}).errors, ElementsAre(HasSubstr(":1:1: EMPTY_SPEC")));
  write("readme.txt");
  EXPECT_THAT(load_from({path_}).errors, ElementsAre(HasSubstr("EMPTY_SPEC")));
  EXPECT_THAT(load_from({}).errors, ElementsAre("EMPTY_SPEC: no spec file is given"));
  EXPECT_THAT(
      load_from({path("a.json")}).errors,
      ElementsAre(AllOf(HasSubstr("a.json:1:1: UNREADABLE_FILE"), HasSubstr("No such file"))));
  EXPECT_THAT(load_from({path("") + "none"}).errors, ElementsAre(HasSubstr("UNREADABLE_FILE")));
}

TEST_F(SpecFiles, MayBeSymbolicLinksButNotDanglingOnes) {
  write("target.json");
  std::filesystem::create_directory(path("d"));
  std::filesystem::create_symlink("../target.json", path("d/a.json"));
  EXPECT_THAT(load_from({path("d")}).errors, IsEmpty());
  std::filesystem::remove(path("target.json"));
  EXPECT_THAT(load_from({path("d")}).errors, ElementsAre(HasSubstr("UNREADABLE_FILE")));
}

TEST_F(SpecFiles, ThatAreFifosDevicesOrSocketsAreNeverOpened) {
  ASSERT_EQ(::mkfifo(path("fifo.json").c_str(), 0600), 0);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto name = path("socket.json");
  ASSERT_LT(name.size(), sizeof address.sun_path);
  std::ranges::copy(name, static_cast<char*>(address.sun_path));
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  std::filesystem::create_symlink("/dev/zero", path("zero.json"));
  // A FIFO without a writer blocks whoever opens it: that the test ends is the proof.
  EXPECT_THAT(load_from({path_}).errors, ElementsAre(HasSubstr("fifo.json:1:1: UNREADABLE_FILE"),
                                                     HasSubstr("socket.json:1:1: UNREADABLE_FILE"),
                                                     HasSubstr("zero.json:1:1: UNREADABLE_FILE")));
  EXPECT_THAT(load_from({"/dev/null"}).errors, ElementsAre(HasSubstr("UNREADABLE_FILE")));
  EXPECT_EQ(files_.read(path("fifo.json"), 10).error, EINVAL);
  ::close(socket);
}

TEST_F(SpecFiles, InMemoryConfirmThatNothingElseIsOpened) {
  testing::MemoryFiles files;
  files.others = {"d/fifo.json"};
  EXPECT_THAT(load_with(files, {"d"}).errors, ElementsAre(HasSubstr("UNREADABLE_FILE")));
  EXPECT_THAT(files.opened, IsEmpty());
}

TEST_F(SpecFiles, AreNoDirectories) {
  std::filesystem::create_directories(path("d/sub.json"));
  EXPECT_THAT(
      load_from({path("d")}).errors,
      ElementsAre(AllOf(HasSubstr("sub.json:1:1: UNREADABLE_FILE"), HasSubstr("directory"))));
  EXPECT_EQ(files_.read(path("d"), 10).error, EISDIR);
}

TEST_F(SpecFiles, OfAHundredMegabytesAreRefusedInBoundedMemory) {
  write("a.json", "{");
  std::filesystem::resize_file(path("a.json"), std::uintmax_t{100} << 20U);
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  EXPECT_THAT(load_from({path("a.json")}).errors, ElementsAre(HasSubstr("a.json:1:1: TOO_LARGE")));
  rusage after{};
  ::getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 80 << 10U) << "KiB";
}

TEST_F(SpecFiles, AreBoundedTogetherAndNotOnlyEach) {
  const std::string padding(wire::max_document_size / 2, ' ');
  write("a.json", empty_spec + padding);
  write("b.json", empty_spec + padding);
  write("c.json");
  EXPECT_THAT(load_from({path_}).errors, ElementsAre(HasSubstr("b.json:1:1: TOO_LARGE")));
}

TEST_F(SpecFiles, ThatMayNotBeReadAreReported) {
  const auto file = write("a.json");
  std::filesystem::permissions(file, std::filesystem::perms::none);
  const auto user = ::geteuid();
  constexpr uid_t nobody = 65534;
  if (user == 0) {  // who may read everything
    ASSERT_EQ(::seteuid(nobody), 0);
  }
  const auto loaded = load_from({file});
  if (user == 0) {
    ASSERT_EQ(::seteuid(user), 0);
  }
  EXPECT_THAT(loaded.errors, ElementsAre(HasSubstr("UNREADABLE_FILE: Permission denied")));
}

TEST_F(SpecFiles, MayComeThroughStandardInput) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const std::string text = "{\"version\": 1,\n\"link\": {}}";
  ASSERT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  const StandardInput input(ends[0]);
  EXPECT_THAT(load_from({"-"}).errors, ElementsAre(HasSubstr("<stdin>:2:1: UNKNOWN_KEY")));
}

TEST_F(SpecFiles, OnStandardInputAreBoundedAsWell) {
  const int zeros = ::open("/dev/zero", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(zeros, 0);
  const StandardInput input(zeros);
  EXPECT_THAT(load_from({"-"}).errors, ElementsAre(HasSubstr("<stdin>:1:1: TOO_LARGE")));
}

TEST_F(SpecFiles, WithHostileContentAreSyntaxErrors) {
  EXPECT_THAT(load_from({write("a.json", std::string(10'000, '['))}).errors,
              ElementsAre(HasSubstr("a.json:1:33: SYNTAX_ERROR: nested deeper")));
  EXPECT_THAT(load_from({write("a.json", "{\"version\": 1,\n\"\xff\": 1}")}).errors,
              ElementsAre(HasSubstr("a.json:2:2: SYNTAX_ERROR")));
  EXPECT_THAT(load_from({write("a.json", "[1]")}).errors,
              ElementsAre(HasSubstr("a.json:1:1: WRONG_TYPE")));
}

TEST(Specs, AmongTheExamplesAllLoad) {
  io::Files files;
  const auto examples = std::string(PLUMBLINE_SOURCE_DIR) + "/specs";
  std::size_t seen = 0;
  // Those of users of other tools have a folder of their own; any other folder is one spec.
  for (const auto& folder : {examples, examples + "/peers"}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().filename() == "peers") continue;
      EXPECT_THAT(load_with(files, {entry.path().string()}).errors, IsEmpty()) << entry.path();
      ++seen;
    }
  }
  EXPECT_GE(seen, 20U);
}

}  // namespace plumbline::spec

// Kinds of links whose options are numbers, words and flags: a table says all there is to say.
//
// What a table cannot say is a function of a class derived from TableType, or of a LinkType of the
// kind's own where little would be left.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "type.hpp"

namespace plumbline::detail {

struct LinkOption {
  enum class Form : std::uint8_t {
    u8,
    u16,
    u32,
    be16,  ///< two bytes in network byte order
    flag,  ///< one byte: 0 or 1
    bit,   ///< `bit` of a structure of two words, the flags and which of them are meant
  };

  std::string_view member;      ///< in the spec
  std::uint16_t attribute = 0;  ///< in IFLA_INFO_DATA
  Form form = Form::u32;
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  std::uint32_t bit = 0;
  /// The spec has one of these in place of a number.
  struct Word {
    std::string_view word;
    std::uint64_t value = 0;
  };
  std::span<const Word> words = {};
  bool required = false;
  bool fixed = false;                         ///< a link has to be made anew to have another
  Disruption disrupts = Disruption::nothing;  ///< a change of it, in place
};

class TableType : public LinkType {
 public:
  enum class Lower : bool { none, required };  ///< the member `device`, IFLA_LINK

  constexpr TableType(LinkKind kind, std::span<const LinkOption> options, Lower lower = Lower::none)
      : LinkType(kind), options_(options), lower_(lower) {}

  void read_spec(const wire::Entry& entry, Link& link) const override;
  void write_spec(const Link& link, boost::json::object& object) const override;
  [[nodiscard]] std::optional<IfName> lower(const Link& link) const override;
  void complete(Link& want, const Link& have) const override;
  [[nodiscard]] bool is_another(const Link& have, const Link& want) const override;
  [[nodiscard]] Disruption disruption(const Link& have, const Link& want) const override;
  void read(const wire::Attribute& data, Link& link, RawLink& raw) const override;
  void resolve(const RawLink& raw, const LinkNames& links, Link& link) const override;
  [[nodiscard]] bool is_made_over_lower() const override { return lower_ == Lower::required; }
  void add_new(wire::MessageBuilder& data, const Link& link, Making& making) const override;
  void add_changes(wire::MessageBuilder& data, const Link& have, const Link& want) const override;

 protected:
  ~TableType() = default;
  /// The value of the option at that place of the table; nothing where the link does not say it.
  [[nodiscard]] static std::optional<std::uint64_t> value(const Link& link, std::size_t place);

 private:
  void add(wire::MessageBuilder& data, const Link& have, const Link& want) const;

  std::span<const LinkOption> options_;
  Lower lower_;
};

}  // namespace plumbline::detail

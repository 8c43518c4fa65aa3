#include "plumbline/report/report.hpp"

#include <algorithm>
#include <array>

#include "formats.hpp"

namespace plumbline::report {

namespace {

struct Row {
  Format format;
  std::string_view name;
  std::unique_ptr<Renderer> (*make)(Style);
};

/// A format is a row here and the source that its maker is in.
constexpr std::array<Row, 2> formats{
    {{Format::text, "text", make_text}, {Format::json, "json", make_json}}};

}  // namespace

std::optional<Format> parse_format(std::string_view name) {
  const auto* const row = std::ranges::find(formats, name, &Row::name);
  return row == formats.end() ? std::nullopt : std::optional(row->format);
}

std::vector<std::string_view> format_names() {
  std::vector<std::string_view> names;
  for (const Row& row : formats) names.push_back(row.name);
  return names;
}

std::unique_ptr<Renderer> renderer(Format format, Style style) {
  return std::ranges::find(formats, format, &Row::format)->make(style);
}

std::string_view question(Operation operation) {
  switch (operation) {
    case Operation::apply:
      return "Apply this plan?";
    case Operation::destroy:
      return "Remove all of this?";
    case Operation::adopt:
      return "Make these ours? The next apply removes those that its spec does not want.";
  }
  return "";
}

Printed Renderer::warnings(const std::vector<Diagnostic>& warnings) const {
  Printed printed;
  if (!style_.warnings) return printed;
  for (const Diagnostic& warning : warnings) printed.err += "warning: " + format(warning) + "\n";
  return printed;
}

std::string Renderer::left_out(const Shown& shown) const {
  std::string text;
  if (!style_.warnings) return text;
  for (const spec::LeftOut& object : shown.left_out) {
    text += "left out: " + printable(object.what) + ": " + printable(object.why) + "\n";
  }
  for (const Diagnostic& place : shown.refused) {
    text += "left out: " + printable(place.pointer) + ": " + printable(place.message) + "\n";
  }
  return text;
}

}  // namespace plumbline::report

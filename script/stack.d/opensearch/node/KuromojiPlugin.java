import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.CharArraySet;
import org.apache.lucene.analysis.StopFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.Tokenizer;
import org.apache.lucene.analysis.ja.JapaneseAnalyzer;
import org.apache.lucene.analysis.ja.JapaneseBaseFormFilter;
import org.apache.lucene.analysis.ja.JapaneseIterationMarkCharFilter;
import org.apache.lucene.analysis.ja.JapaneseKatakanaStemFilter;
import org.apache.lucene.analysis.ja.JapaneseNumberFilter;
import org.apache.lucene.analysis.ja.JapanesePartOfSpeechStopFilter;
import org.apache.lucene.analysis.ja.JapaneseReadingFormFilter;
import org.apache.lucene.analysis.ja.JapaneseTokenizer;
import org.apache.lucene.analysis.ja.dict.UserDictionary;
import org.opensearch.common.settings.Settings;
import org.opensearch.index.analysis.AbstractCharFilterFactory;
import org.opensearch.index.analysis.AbstractIndexAnalyzerProvider;
import org.opensearch.index.analysis.AbstractTokenFilterFactory;
import org.opensearch.index.analysis.AbstractTokenizerFactory;
import org.opensearch.index.analysis.AnalyzerProvider;
import org.opensearch.index.analysis.CharFilterFactory;
import org.opensearch.index.analysis.TokenFilterFactory;
import org.opensearch.index.analysis.TokenizerFactory;
import org.opensearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.opensearch.plugins.AnalysisPlugin;
import org.opensearch.plugins.Plugin;

/**
 * Japanese, under the names and with the settings of OpenSearch's analysis-kuromoji, on the same Lucene classes. Missing: user
 * dictionaries from a file, n-best, and completion.
 */
public class KuromojiPlugin extends Plugin implements AnalysisPlugin {
  private static UserDictionary dictionary(Settings settings) {
    List<String> rules = settings.getAsList("user_dictionary_rules", List.of());
    if (rules.isEmpty()) {
      return null;
    }
    try {
      return UserDictionary.open(new StringReader(String.join("\n", rules)));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static JapaneseTokenizer.Mode mode(Settings settings) {
    return JapaneseTokenizer.Mode.valueOf(settings.get("mode", "search").toUpperCase(Locale.ROOT));
  }

  private static Set<String> tags(Settings settings) {
    List<String> named = settings.getAsList("stoptags", null);
    return named == null ? JapaneseAnalyzer.getDefaultStopTags() : Set.copyOf(named);
  }

  private static CharArraySet words(Settings settings) {
    List<String> named = settings.getAsList("stopwords", List.of("_japanese_"));
    CharArraySet words = new CharArraySet(named.size(), settings.getAsBoolean("ignore_case", false));
    for (String word : named) {
      if (word.equals("_japanese_")) {
        words.addAll(JapaneseAnalyzer.getDefaultStopSet());
      } else if (!word.equals("_none_")) {
        words.add(word);
      }
    }
    return words;
  }

  private static AnalysisProvider<TokenFilterFactory> filter(Function<Settings, Function<TokenStream, TokenStream>> make) {
    return (index, environment, name, settings) -> {
      Function<TokenStream, TokenStream> filter = make.apply(settings);
      return new AbstractTokenFilterFactory(index, name, settings) {
        @Override
        public TokenStream create(TokenStream input) {
          return filter.apply(input);
        }
      };
    };
  }

  @Override
  public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
    return Map.of(
        "kuromoji_baseform", filter(settings -> JapaneseBaseFormFilter::new),
        "kuromoji_number", filter(settings -> JapaneseNumberFilter::new),
        "kuromoji_part_of_speech", filter(settings -> {
          Set<String> tags = tags(settings);
          return input -> new JapanesePartOfSpeechStopFilter(input, tags);
        }),
        "kuromoji_readingform", filter(settings -> {
          boolean latin = settings.getAsBoolean("use_romaji", false);
          return input -> new JapaneseReadingFormFilter(input, latin);
        }),
        "kuromoji_stemmer", filter(settings -> {
          int shortest = settings.getAsInt("minimum_length", JapaneseKatakanaStemFilter.DEFAULT_MINIMUM_LENGTH);
          return input -> new JapaneseKatakanaStemFilter(input, shortest);
        }),
        "ja_stop", filter(settings -> {
          CharArraySet words = words(settings);
          return input -> new StopFilter(input, words);
        }));
  }

  @Override
  public Map<String, AnalysisProvider<CharFilterFactory>> getCharFilters() {
    return Map.of("kuromoji_iteration_mark", (index, environment, name, settings) -> {
      boolean kanji = settings.getAsBoolean("normalize_kanji", JapaneseIterationMarkCharFilter.NORMALIZE_KANJI_DEFAULT);
      boolean kana = settings.getAsBoolean("normalize_kana", JapaneseIterationMarkCharFilter.NORMALIZE_KANA_DEFAULT);
      return new AbstractCharFilterFactory(index, name) {
        @Override
        public Reader create(Reader input) {
          return new JapaneseIterationMarkCharFilter(input, kanji, kana);
        }
      };
    });
  }

  @Override
  public Map<String, AnalysisProvider<TokenizerFactory>> getTokenizers() {
    return Map.of("kuromoji_tokenizer", (index, environment, name, settings) -> {
      UserDictionary dictionary = dictionary(settings);
      JapaneseTokenizer.Mode mode = mode(settings);
      boolean punctuation = settings.getAsBoolean("discard_punctuation", true);
      boolean compounds = settings.getAsBoolean("discard_compound_token", false);
      return new AbstractTokenizerFactory(index, settings, name) {
        @Override
        public Tokenizer create() {
          return new JapaneseTokenizer(dictionary, punctuation, compounds, mode);
        }
      };
    });
  }

  @Override
  public Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> getAnalyzers() {
    return Map.of("kuromoji", (index, environment, name, settings) -> {
      JapaneseAnalyzer analyzer =
          new JapaneseAnalyzer(dictionary(settings), mode(settings), words(settings), JapaneseAnalyzer.getDefaultStopTags());
      return new AbstractIndexAnalyzerProvider<JapaneseAnalyzer>(index, name, settings) {
        @Override
        public JapaneseAnalyzer get() {
          return analyzer;
        }
      };
    });
  }
}

      *------------------------------------------------------------
      * JUKI      LRECL=704  RECFM=FB  JEF + EBCDIK
      *------------------------------------------------------------
       01  JK-REC.
         03  JK-REC-KUBUN               PIC X(01).
         03  JK-DATA.
           05  JK-ATENA-NO              PIC 9(10).
           05  JK-RIREKI-NO             PIC S9(03) COMP-3.
           05  JK-SETAI-NO              PIC 9(10).
           05  JK-KU-CD                 PIC X(03).
           05  JK-JUMIN-SHUBETSU        PIC X(01).
           05  JK-JOTAI                 PIC X(02).
           05  JK-SHIMEI                PIC N(32).
           05  JK-KANA                  PIC X(48).
           05  JK-KANA-KAKUNIN          PIC X(01).
           05  JK-SEIBETSU              PIC X(01).
           05  JK-SEINEN-YMD            PIC 9(07) COMP-3.
           05  JK-SEINEN-FUSHO          PIC X(01).
           05  JK-SEINEN-HYOKI          PIC N(12).
           05  JK-ZOKU-CD               PIC X(02) OCCURS 2 TIMES.
           05  JK-ZOKU-MEI              PIC N(08).
           05  JK-SETAIIN-JUN           PIC S9(03) COMP-3.
           05  JK-NUSHI-SHIMEI          PIC N(32).
           05  JK-CHOAZA-CD             PIC 9(12).
           05  JK-CHOAZA-MEI            PIC N(16).
           05  JK-BANCHI                PIC N(14).
           05  JK-KATAGAKI              PIC X(44).
           05  JK-YUBIN                 PIC 9(07).
           05  JK-JUMIN-YMD             PIC 9(07) COMP-3.
           05  JK-JUMIN-FUSHO           PIC X(01).
           05  JK-JUMIN-HYOKI           PIC N(12).
           05  JK-SADAME-YMD            PIC 9(07) COMP-3.
           05  JK-TODOKE-YMD            PIC 9(08).
           05  JK-IDO-JIYU              PIC X(03).
           05  JK-IDO-FUZUI             PIC X(02).
           05  JK-IDO-YMD               PIC 9(08).
           05  JK-SHORI-YMD             PIC 9(08).
           05  JK-SHORI-JIKOKU          PIC 9(06) COMP.
           05  JK-BASHO-CD              PIC X(06).
           05  JK-TANMATSU              PIC X(12).
           05  JK-SHOJO-JIYU            PIC X(03).
           05  JK-SHOJO-YMD             PIC 9(08).
           05  JK-KOJIN-NO              PIC 9(12).
           05  JK-JUHYO-CD              PIC 9(11) COMP-3.
           05  JK-SENKYO-FLG            PIC X(01).
           05  JK-KOKUHO-FLG            PIC X(01).
           05  JK-KOKI-FLG              PIC X(01).
           05  JK-KAIGO-FLG             PIC X(01).
           05  JK-NENKIN-FLG            PIC X(01).
           05  JK-JITE-FLG              PIC X(01).
           05  JK-KOKEN-FLG             PIC X(01).
           05  JK-SHIEN-FLG             PIC X(01).
           05  JK-YOKUSHI-FLG           PIC X(01).
           05  JK-KAISEI-FLG            PIC X(01).
           05  JK-KAISEI-YMD            PIC 9(08).
           05  JK-KAISHI-YMD            PIC 9(08).
           05  JK-SHURYO-YMD            PIC 9(08).
           05  JK-NIHONJIN.
             07  JK-HONSEKI-KBN         PIC X(01).
             07  JK-HONSEKI-SHI-CD      PIC X(06).
             07  JK-HONSEKI-KEN         PIC N(04).
             07  JK-HONSEKI-SHI         PIC N(12).
             07  JK-HONSEKI-CHOAZA      PIC N(20).
             07  JK-HONSEKI-BANCHI      PIC N(14).
             07  JK-HITTOSHA            PIC N(16).
             07  JK-KYUJI               PIC N(08).
             07  JK-KYUJI-KANA          PIC X(20).
             07  JK-KYUJI-KAKUNIN       PIC X(01).
           05  JK-GAIKOKUJIN REDEFINES JK-NIHONJIN.
             07  JK-ROMAJI              PIC N(40).
             07  JK-KANJI               PIC N(12).
             07  JK-TSUSHO              PIC N(16).
             07  JK-TSUSHO-KANA         PIC X(30).
             07  JK-TSUSHO-KAKUNIN      PIC X(01).
             07  FILLER                 PIC X(09).
         03  JK-HEADER REDEFINES JK-DATA.
           05  JKH-FILE-ID              PIC X(08).
           05  JKH-GUN                  PIC 9(02).
           05  JKH-KIJUN-YMD            PIC 9(08).
           05  JKH-SAKUSEI-YMD          PIC 9(08).
           05  FILLER                   PIC X(677).
         03  JK-TRAILER REDEFINES JK-DATA.
           05  JKT-FILE-ID              PIC X(08).
           05  JKT-GUN                  PIC 9(02).
           05  JKT-KENSU                PIC 9(09).
           05  FILLER                   PIC X(684).
